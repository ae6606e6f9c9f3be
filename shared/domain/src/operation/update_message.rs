//! The app replaces the content of a message, for all holders.

use super::weight::HOLDERS_ESTIMATE;
use super::{Apply, Footprint, Revision, Weight};
use crate::content::Content;
use crate::id::MessageId;
use crate::ledger::Ledger;
use crate::message::Holders;
use crate::number::saturating;
use crate::refusal::Refusal;
use crate::usage::AppUsage;

/// Replaces the content of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateMessage {
    /// Message to change.
    pub message_id: MessageId,
    /// New content of the message.
    pub content: Content,
    /// Version that it must have; none: any.
    pub expected_version: Option<i64>,
}

impl Apply for UpdateMessage {
    type Outcome = Revision;

    fn footprint(&self) -> Footprint {
        Footprint::of_messages([self.message_id], Holders::All)
    }

    fn weight(&self) -> Weight {
        Weight::of_content(&self.content, HOLDERS_ESTIMATE)
    }

    fn apply(&self, ledger: &mut Ledger) -> Result<Revision, Refusal> {
        revise(
            ledger,
            self.message_id,
            &self.content,
            self.expected_version,
        )
    }
}

/// Replaces the content of a message of the expected version. An equal content is a new
/// version too.
pub(super) fn revise(
    ledger: &mut Ledger,
    message_id: MessageId,
    content: &Content,
    expected_version: Option<i64>,
) -> Result<Revision, Refusal> {
    check_version(ledger, message_id, expected_version)?;
    let policy = ledger.policy();
    Refusal::if_exceeded(content.exceeds(policy.max_content_bytes))?;
    let before = ledger.message(message_id).map_or(0, |it| it.size_bytes);
    let growth = AppUsage {
        bytes: saturating::<i64, _>(content.encoded.len()) - before,
        mailboxes: 0,
    };
    ledger.check_usage(&policy, growth)?;
    ledger.revise_message(message_id, content.clone());
    let message = ledger.message(message_id).ok_or(Refusal::NotFound)?;
    Ok(Revision {
        message_id,
        version: message.version,
        update_ms: message.update_ms,
        digest: content.digest,
    })
}

/// Checks that a message exists, in the expected version.
pub(super) fn check_version(
    ledger: &Ledger,
    message_id: MessageId,
    expected_version: Option<i64>,
) -> Result<(), Refusal> {
    let current = ledger.message(message_id).ok_or(Refusal::NotFound)?.version;
    match expected_version {
        Some(expected) if expected != current => {
            Err(Refusal::VersionMismatch { expected, current })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Msgbox;
    use crate::operation::{Action, MarkMessagesRead, NamedEntries, Outcome};
    use crate::refusal::LimitExceeded;
    use crate::testing::{MemoryStore, from_app, profile, sent_at, text};

    fn update(message_id: MessageId, words: &str, expected_version: Option<i64>) -> Action {
        Action::UpdateMessage(UpdateMessage {
            message_id,
            content: text(words),
            expected_version,
        })
    }

    fn version(verdict: Result<Outcome, Refusal>) -> i64 {
        match verdict {
            Ok(Outcome::Revised(revision)) => revision.version,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_same_content_is_a_new_version_too() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_app(["bob"]));
        assert_eq!(version(store.execute(20, update(sent, "news", Some(1)))), 2);
        assert_eq!(version(store.execute(30, update(sent, "news", None))), 3);
        let entry = store.entry("bob", Msgbox::Inbox, sent).expect("an entry");
        assert_eq!((entry.version, entry.content_version), (3, 3));
        assert!(store.messages[&sent].modified);
    }

    #[test]
    fn an_update_leaves_read_entries_read() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_app(["bob"]));
        let read = Action::MarkMessagesRead(MarkMessagesRead {
            entries: NamedEntries::new(profile("bob"), Msgbox::Inbox, vec![sent]),
            read: true,
        });
        store.execute(15, read).expect("marked");
        store
            .execute(20, update(sent, "news", None))
            .expect("updated");
        assert_eq!(store.counts("bob"), (1, 0, 0));
    }

    #[test]
    fn one_of_two_updates_with_the_same_expected_version_wins() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_app(["bob"]));
        assert_eq!(version(store.execute(20, update(sent, "one", Some(1)))), 2);
        let mismatch = Refusal::VersionMismatch {
            expected: 1,
            current: 2,
        };
        assert_eq!(
            store.execute(20, update(sent, "two", Some(1))),
            Err(mismatch)
        );
        assert_eq!(store.contents[&sent], text("one"));
    }

    #[test]
    fn a_message_that_is_not_there_is_not_found() {
        let mut store = MemoryStore::default();
        let verdict = store.execute(20, update(sent_at(99), "one", Some(1)));
        assert_eq!(verdict, Err(Refusal::NotFound));
    }

    #[test]
    fn a_content_beyond_the_apps_limit_is_refused() {
        let mut store = MemoryStore::default();
        let sent = store.send(10, from_app(["bob"]));
        store.policy.max_content_bytes = 3;
        let exceeded = LimitExceeded::ContentBytes { bytes: 4, max: 3 };
        let verdict = store.execute(20, update(sent, "long", None));
        assert_eq!(verdict, Err(Refusal::LimitsExceeded(vec![exceeded])));
        assert_eq!(version(store.execute(20, update(sent, "new", None))), 2);
    }
}
