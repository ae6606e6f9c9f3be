//! Whose mailbox the app reads.

use domain::{ProfileId, Violations};
use rpc::System;
use rpc::convert::id;
use rpc::convert::page::MailboxPages;
use storage::{MailStore, Requester};

/// Takes the `owner_profile_id` of a request.
pub fn parse(text: &str, violations: &mut Violations) -> Option<ProfileId> {
    id::profile(text, "owner_profile_id", violations)
}

/// Takes the `owner_profile_id` of a request in which nothing else can be wrong.
pub fn parse_only(text: &str) -> Result<ProfileId, Violations> {
    let mut violations = Violations::none();
    let owner = parse(text, &mut violations);
    violations.finish(owner)
}

/// The owner's mailbox, as the app reads it.
pub fn mailbox<'a>(
    store: &'a dyn MailStore,
    system: &'a System,
    owner: &'a ProfileId,
) -> MailboxPages<'a> {
    MailboxPages {
        store,
        app: system.app(),
        owner,
        requester: Requester::App,
    }
}
