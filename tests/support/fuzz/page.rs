//! Page contexts: those of requests, and sealed ones with any state and any check sum.

use domain::{AppId, ProfileId};
use prost::Message as _;
use proto::internal::v1::PageContextState;
use proto::{sys, v1};
use rpc::convert::page::PageRequest;
use rpc::convert::token::Binding;

use super::{FuzzTarget, formed};
use crate::issuer::APP;

pub const TARGET: FuzzTarget = FuzzTarget {
    name: "page",
    run,
    seeds,
};

fn run(input: &[u8]) -> bool {
    let Some((form, rest)) = input.split_first() else {
        return false;
    };
    match form % 4 {
        0 => {
            let text = String::from_utf8_lossy(rest);
            opened(&text)
        }
        1 => PageContextState::decode(rest).is_ok_and(|state| opened(&sealed(&state))),
        2 => v1::PageContext::decode(rest).is_ok_and(|it| PageRequest::parse(Some(it)).is_ok()),
        _ => {
            let context = sys::v1::RepositoryPageContext::decode(rest);
            context.is_ok_and(|it| PageRequest::parse(Some(it)).is_ok())
        }
    }
}

fn opened(text: &str) -> bool {
    bound(|binding| {
        let of_mailbox = PageRequest::offset::<v1::PageContext>(binding, text, i32::MIN);
        let of_app = PageRequest::offset::<sys::v1::RepositoryPageContext>(binding, text, i32::MAX);
        of_mailbox.is_some() || of_app.is_some()
    })
}

fn sealed(state: &PageContextState) -> String {
    bound(|binding| binding.seal(state))
}

fn bound<T>(then: impl FnOnce(Binding<'_>) -> T) -> T {
    let app = AppId::parse(APP).expect("an app");
    let owner = ProfileId::parse("alice").expect("a profile");
    then(Binding {
        app: &app,
        owner: Some(&owner),
        method: "page",
    })
}

fn seeds() -> Vec<Vec<u8>> {
    let context = v1::PageContext {
        search_criteria: Some(v1::SearchCriteria {
            msgbox: "inbox".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let state = PageContextState {
        asked: context.encode_to_vec(),
        ..Default::default()
    };
    vec![
        formed(0, sealed(&state)),
        formed(1, state.encode_to_vec()),
        formed(2, context.encode_to_vec()),
        formed(3, sys::v1::RepositoryPageContext::default().encode_to_vec()),
    ]
}
