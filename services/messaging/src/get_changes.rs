//! `GetChanges`: changes of a user's mailbox after a cursor, for clients that poll.

use domain::limits::{CHANGES_DEFAULT, CHANGES_EXAMINED_MAX, CHANGES_MAX, PAGE_BYTES_MAX};
use domain::number::saturating;
use domain::{AppId, ProfileId, Violations};
use proto::v1::{Event, GetChangesRequest, GetChangesResponse};
use rpc::convert::feed::{self, FeedFilter};
use rpc::convert::{cursor, size};
use rpc::{RpcError, User};
use storage::{Error, FeedLimits, FeedPage, FeedStart, MailStore};

/// Maximum number of reads. A read without events has examined [`CHANGES_MAX`] changes, one that
/// is short of the requested number has loaded [`PAGE_BYTES_MAX`] of contents.
const READS_MAX: u32 = CHANGES_EXAMINED_MAX / CHANGES_MAX;

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: GetChangesRequest,
) -> Result<GetChangesResponse, RpcError> {
    let (mut limits, filter) = parse(&request)?;
    let (app, owner) = (user.app(), user.profile());
    let mut since = feed::since(&request.cursor, app, owner)?;
    let mut response = GetChangesResponse::default();
    for _ in 0..READS_MAX {
        let read = store.changes(app, owner, since, limits).await?;
        since = FeedStart::After(read.reached);
        response.cursor = cursor::show(read.reached, app, owner);
        response.more = read.more;
        let events = events(read, filter, app, owner)?;
        limits.changes_max = limits.changes_max.saturating_sub(saturating(events.len()));
        response.events.extend(events);
        let is_full = limits.changes_max == 0 || size::is_filled(&response.events, PAGE_BYTES_MAX);
        if is_full || !response.more {
            break;
        }
    }
    fit(&mut response);
    Ok(response)
}

fn parse(request: &GetChangesRequest) -> Result<(FeedLimits, FeedFilter), Violations> {
    let mut violations = Violations::none();
    let limit = u32::try_from(request.limit);
    if limit.is_err() {
        violations.invalid("limit", "must not be negative");
    }
    let filter = FeedFilter::parse(&request.msgboxes, request.view, &mut violations);
    let limits = limit.ok().map(|limit| FeedLimits {
        only: filter.only,
        changes_max: if limit == 0 {
            CHANGES_DEFAULT
        } else {
            limit.min(CHANGES_MAX)
        },
        bytes_max: PAGE_BYTES_MAX,
    });
    Ok((violations.finish(limits)?, filter))
}

fn events(
    read: FeedPage,
    filter: FeedFilter,
    app: &AppId,
    owner: &ProfileId,
) -> Result<Vec<Event>, Error> {
    let mut events = Vec::with_capacity(read.changes.len());
    if let Some(broken) = read.resync {
        let frame = feed::resync(broken, &read.counts);
        events.push(feed::event(frame, read.reached, app, owner));
    }
    for (seen, change) in read.changes {
        if let Some(frame) = filter.frame(change)? {
            events.push(feed::event(frame, seen, app, owner));
        }
    }
    Ok(events)
}

/// Truncates a response to the bytes that it may have, but to one event at least.
fn fit(response: &mut GetChangesResponse) {
    let others = size::fit(&mut response.events, PAGE_BYTES_MAX, size::sent);
    if let (false, Some(last)) = (others.is_empty(), response.events.last()) {
        response.more = true;
        response.cursor.clone_from(&last.cursor);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fields, texts};

    fn changes_max(limit: i32) -> Option<u32> {
        let request = GetChangesRequest {
            limit,
            ..GetChangesRequest::default()
        };
        parse(&request).ok().map(|(part, _)| part.changes_max)
    }

    #[test]
    fn a_limit_has_a_default_and_a_cap() {
        for (limit, changes) in [(0, 100), (1, 1), (500, 500), (i32::MAX, 500)] {
            assert_eq!(changes_max(limit), Some(changes));
        }
        assert_eq!(changes_max(-1), None);
    }

    #[test]
    fn all_violations_are_reported_together() {
        let request = GetChangesRequest {
            limit: -1,
            msgboxes: texts(&["inbox", "drafts"]),
            view: 99,
            ..GetChangesRequest::default()
        };
        let violations = parse(&request).expect_err("violations");
        assert_eq!(fields(&violations), ["limit", "msgboxes[1]", "view"]);
    }
}
