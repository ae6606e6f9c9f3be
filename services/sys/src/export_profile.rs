//! `ExportProfile`: what is kept about a user, in pages.

use domain::{ProfileId, Violations};
use proto::internal::v1::ExportPageToken;
use proto::sys::v1::{
    ExportProfileRequest, ExportProfileResponse, ExportedProfile, RepositoryCriteria,
    RepositoryPageContext,
};
use proto::v1::{MessageView, PageContext, Pagination, SortCriteria, SortDirection};
use rpc::convert::page::{PageRequest, RepositoryPages};
use rpc::convert::token::Binding;
use rpc::convert::{counts, id, time};
use rpc::methods::sys::EXPORT_PROFILE;
use rpc::{RpcError, System};
use storage::{MailStore, Requester};

use crate::owner;

/// Rows on a page of a part.
const ROWS: i32 = 200;

/// Blocks on a page.
const BLOCKS: u32 = 500;

/// Part of an export, by the number in page tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ExportPart {
    Facts,
    Blocks,
    Entries,
    Sent,
    Received,
}

impl ExportPart {
    const ALL: [Self; 5] = [
        Self::Facts,
        Self::Blocks,
        Self::Entries,
        Self::Sent,
        Self::Received,
    ];

    fn of(number: u32) -> Option<Self> {
        let place = usize::try_from(number).ok()?;
        Self::ALL.get(place).copied()
    }
}

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: ExportProfileRequest,
) -> Result<ExportProfileResponse, RpcError> {
    let profile = parse(&request)?;
    let export = ProfileExport {
        store,
        system: &system,
        profile: &profile,
    };
    let (part, context) = export.open(&request.page_token)?;
    let mut response = ExportProfileResponse::default();
    let next = match part {
        ExportPart::Facts => {
            response.profile = Some(export.facts().await?);
            None
        }
        ExportPart::Blocks => {
            let blocked = export.blocked(&context).await?;
            let is_full = blocked.len() >= BLOCKS as usize;
            let last = blocked.last().cloned().filter(|_| is_full);
            response.blocked_profile_ids = blocked;
            last
        }
        ExportPart::Entries => {
            let pages = owner::mailbox(store, &system, &profile);
            let page = match &*context {
                "" => PageRequest::parse(Some(oldest_entries()))?,
                context => PageRequest::offset::<PageContext>(pages.binding(), context, 1)
                    .ok_or(RpcError::PageContextInvalid)?,
            };
            let (context, page) = pages.page(page).await?;
            response.entries = page.items;
            page.more_after.then_some(context)
        }
        ExportPart::Sent | ExportPart::Received => {
            let app = system.app();
            let pages = RepositoryPages { store, app };
            let page = match &*context {
                "" => PageRequest::parse(Some(oldest_messages(part, &profile)))?,
                context => {
                    PageRequest::offset::<RepositoryPageContext>(pages.binding(), context, 1)
                        .ok_or(RpcError::PageContextInvalid)?
                }
            };
            let (context, page) = pages.page(page).await?;
            match part {
                ExportPart::Sent => response.sent_messages = page.items,
                _ => response.received_messages = page.items,
            }
            page.more_after.then_some(context)
        }
    };
    response.next_page_token = export.next(part, next);
    Ok(response)
}

fn parse(request: &ExportProfileRequest) -> Result<ProfileId, Violations> {
    let mut violations = Violations::none();
    let profile = id::profile(&request.profile_id, "profile_id", &mut violations);
    violations.finish(profile)
}

/// Export of a profile.
struct ProfileExport<'a> {
    store: &'a dyn MailStore,
    system: &'a System,
    profile: &'a ProfileId,
}

impl ProfileExport<'_> {
    fn binding(&self) -> Binding<'_> {
        Binding {
            app: self.system.app(),
            owner: Some(self.profile),
            method: EXPORT_PROFILE.path,
        }
    }

    /// Returns the part of a page token, and the context of the page before.
    fn open(&self, token: &str) -> Result<(ExportPart, String), RpcError> {
        if token.is_empty() {
            return Ok((ExportPart::Facts, String::new()));
        }
        let opened: Option<ExportPageToken> = self.binding().open(token);
        let opened = opened.ok_or(RpcError::PageContextInvalid)?;
        let part = ExportPart::of(opened.part).ok_or(RpcError::PageContextInvalid)?;
        Ok((part, opened.context))
    }

    /// Returns the token of the next page of a part, or of the next part; empty after the last.
    fn next(&self, part: ExportPart, context: Option<String>) -> String {
        let next = part as u32 + u32::from(context.is_none());
        if ExportPart::of(next).is_none() {
            return String::new();
        }
        self.binding().seal(&ExportPageToken {
            part: next,
            context: context.unwrap_or_default(),
        })
    }

    /// Returns the profiles that the user blocks, behind one.
    async fn blocked(&self, after: &str) -> Result<Vec<String>, RpcError> {
        let after = match after {
            "" => None,
            after => Some(ProfileId::parse(after).map_err(|_| RpcError::PageContextInvalid)?),
        };
        let (app, profile) = (self.system.app(), self.profile);
        let blocks = self
            .store
            .blocks(app, profile, after.as_ref(), BLOCKS)
            .await?;
        Ok(blocks
            .iter()
            .map(|block| block.profile_id.to_string())
            .collect())
    }

    async fn facts(&self) -> Result<ExportedProfile, RpcError> {
        let (app, profile) = (self.system.app(), self.profile);
        let counted = self.store.counts(app, profile, Requester::App).await?;
        let revoked_before = self.store.revoked_before(app, profile).await?;
        let erasure = self.store.erasure(app, profile).await?;
        Ok(ExportedProfile {
            profile_id: profile.to_string(),
            boxes: counts::boxes(&counted.counts),
            tokens_revoked_before: revoked_before.map(time::timestamp),
            erasure_request_time: erasure.map(|it| time::timestamp(it.requested)),
            erasure_done_time: erasure.and_then(|it| it.done).map(time::timestamp),
        })
    }
}

fn oldest_first() -> SortCriteria {
    SortCriteria {
        direction: SortDirection::Ascending.into(),
        ..SortCriteria::default()
    }
}

fn of_rows() -> Pagination {
    Pagination {
        rows_per_page: ROWS,
        ..Pagination::default()
    }
}

fn oldest_entries() -> PageContext {
    PageContext {
        sort_criteria: Some(oldest_first()),
        pagination: Some(of_rows()),
        ..PageContext::default()
    }
}

fn oldest_messages(part: ExportPart, profile: &ProfileId) -> RepositoryPageContext {
    let mut criteria = RepositoryCriteria::default();
    let view = if part == ExportPart::Sent {
        criteria.sender_profile_id = profile.to_string();
        MessageView::Full
    } else {
        criteria.to_profile_id = profile.to_string();
        MessageView::Metadata
    };
    RepositoryPageContext {
        search_criteria: Some(criteria),
        sort_criteria: Some(oldest_first()),
        pagination: Some(of_rows()),
        view: view.into(),
    }
}
