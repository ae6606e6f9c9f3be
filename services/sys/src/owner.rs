//! Owners of mailboxes in requests of the app.

use domain::{ProfileId, Violations};
use rpc::System;
use rpc::convert::id;
use rpc::convert::page::MailboxPages;
use storage::{CostAccount, MailStore, Requester};

/// Parses the `owner_profile_id` of a request.
pub fn parse(text: &str, violations: &mut Violations) -> Option<ProfileId> {
    id::profile(text, "owner_profile_id", violations)
}

/// Parses the `owner_profile_id` of a request without other checked fields.
pub fn parse_only(text: &str) -> Result<ProfileId, Violations> {
    let mut violations = Violations::none();
    let owner = parse(text, &mut violations);
    violations.finish(owner)
}

/// Returns the pages of an owner's mailbox, as the app reads it.
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
        // The app has no quota of calls.
        account: CostAccount::default(),
    }
}
