//! Sizes of responses: they count what the view shows, in every method that shows messages.

use prost::Message as _;
use proto::sys::v1 as sys;
use proto::v1;
use proto::v1::MessageView::{self, Full, Metadata, Preview};
use support::on_each_database;
use support::service::TestService;

use super::builders::{message, named, ok, strings, text};

/// Messages in bob's inbox, 3.9 MB in all.
const MESSAGES: usize = 130;
const CONTENT_BYTES: usize = 30_000;
const GET_BYTES_MAX: usize = 3 * 1024 * 1024;
const PAGE_BYTES_MAX: usize = 512 * 1024;

/// A response: the method, the number of its messages, true if there are more, and its bytes.
type ResponseSize = (&'static str, usize, bool, usize);

async fn send_large(test: &TestService) -> Vec<String> {
    let mut ids = Vec::new();
    for _ in 0..MESSAGES {
        let request = message(&["bob"], text(&"x".repeat(CONTENT_BYTES)));
        ids.push(
            ok(test.user("alice").send_message(request))
                .await
                .message_id,
        );
    }
    ids
}

/// Look-ups by id, with their sizes.
async fn looked_up(test: &TestService, ids: &[String], view: MessageView) -> [ResponseSize; 2] {
    let request = v1::GetMessagesRequest {
        view: view.into(),
        ..named("inbox", ids)
    };
    let own = ok(test.user("bob").get_messages(request)).await;
    let request = sys::GetMessagesRequest {
        message_ids: strings(ids),
        view: view.into(),
    };
    let all = ok(test.sys().get_messages(request)).await;
    assert_eq!(own.items.len() + own.remaining_message_ids.len(), MESSAGES);
    assert_eq!(all.items.len() + all.remaining_message_ids.len(), MESSAGES);
    [
        (
            "GetMessages",
            own.items.len(),
            !own.remaining_message_ids.is_empty(),
            own.encoded_len(),
        ),
        (
            "Sys.GetMessages",
            all.items.len(),
            !all.remaining_message_ids.is_empty(),
            all.encoded_len(),
        ),
    ]
}

/// Pages and changes, with their sizes.
async fn listed(test: &TestService, view: MessageView) -> [ResponseSize; 4] {
    let pagination = Some(v1::Pagination {
        rows_per_page: 200,
        ..Default::default()
    });
    let context = Some(v1::PageContext {
        pagination,
        view: view.into(),
        ..Default::default()
    });
    let request = v1::GetMessagesPageRequest {
        context: context.clone(),
    };
    let own = ok(test.user("bob").get_messages_page(request)).await;
    let request = sys::GetMessagesForOwnerPageRequest {
        owner_profile_id: "bob".to_owned(),
        context,
    };
    let of_owner = ok(test.sys().get_messages_for_owner_page(request)).await;
    let request = sys::GetMessagesPageRequest {
        context: Some(sys::RepositoryPageContext {
            pagination,
            view: view.into(),
            ..Default::default()
        }),
    };
    let all = ok(test.sys().get_messages_page(request)).await;
    let request = v1::GetChangesRequest {
        cursor: "0".to_owned(),
        limit: 500,
        view: view.into(),
        ..Default::default()
    };
    let changes = ok(test.user("bob").get_changes(request)).await;
    macro_rules! page {
        ($name:literal, $page:expr) => {{
            let page = $page.results.expect("a page");
            ($name, page.items.len(), page.more_after, page.encoded_len())
        }};
    }
    [
        page!("GetMessagesPage", own),
        page!("GetMessagesForOwnerPage", of_owner),
        page!("Sys.GetMessagesPage", all),
        (
            "GetChanges",
            changes.events.len(),
            changes.more,
            changes.encoded_len(),
        ),
    ]
}

async fn a_response_counts_the_bytes_that_its_view_shows(test: &TestService) {
    let ids = send_large(test).await;
    for view in [Metadata, Preview] {
        let (looked_up, listed) = (looked_up(test, &ids, view).await, listed(test, view).await);
        for (method, shown, has_more, _) in looked_up.into_iter().chain(listed) {
            assert_eq!((shown, has_more), (MESSAGES, false), "{method} {view:?}");
        }
    }
    let looked_up = looked_up(test, &ids, Full)
        .await
        .map(|size| (GET_BYTES_MAX, size));
    let listed = listed(test, Full).await.map(|size| (PAGE_BYTES_MAX, size));
    for (bytes_max, (method, shown, has_more, bytes)) in looked_up.into_iter().chain(listed) {
        assert!(has_more && shown > 0, "{method}: {shown}");
        assert!(bytes > bytes_max - 2 * CONTENT_BYTES, "{method}: {bytes}");
        // Beside the items there are numbers, ids and a cursor.
        assert!(bytes < bytes_max + 64 * MESSAGES, "{method}: {bytes}");
    }
}

/// Recipients are shown in every view.
async fn recipients_count_in_every_view(test: &TestService) {
    let to: Vec<_> = (0..99).map(|number| format!("{number:0>128}")).collect();
    let to: Vec<_> = to.into_iter().chain(["bob".to_owned()]).collect();
    for _ in 0..60 {
        let request = message(&to, text("hi"));
        ok(test.user("alice").send_message(request)).await;
    }
    for (method, shown, has_more, bytes) in listed(test, Metadata).await {
        assert!(has_more && shown > 30, "{method}: {shown}");
        assert!(bytes < PAGE_BYTES_MAX + 1_024, "{method}: {bytes}");
    }
}

on_each_database![
    a_response_counts_the_bytes_that_its_view_shows,
    recipients_count_in_every_view,
];
