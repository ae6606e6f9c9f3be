//! LISTEN/NOTIFY between the stores on one database, so that changes of one replica reach the
//! streams of the others before their next poll.
//!
//! Hints are sent outside the transaction that they are about, many in one notification. They
//! may be late, doubled or lost: they only name mailboxes to read.

pub mod publisher;
mod subscriber;

use std::sync::{Arc, Mutex, PoisonError};

use storage::{Arrival, ChangeListener, MailboxHead};
use telemetry::BroadcastMetrics;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::db::backend::Backend;
use crate::db::pool::Pool;
use publisher::PendingHints;
use subscriber::Subscriber;

/// Separates the words of a notification: the sender's name, then `app.mailbox.seq` each.
const SEPARATOR: char = ' ';
/// The word that stands for all mailboxes.
const ALL_MAILBOXES: &str = "*";

/// Passes changes on to the listener of this process and to the other stores.
pub struct Broadcast {
    local: Arc<dyn ChangeListener>,
    /// None if the database has no notifications, or they are off.
    remote: Option<Arc<PendingHints>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Broadcast {
    /// Starts publishing through `pool` and listening at `url`; without a url, or on a database
    /// without notifications, only `local` is called.
    pub fn start<DB: Backend>(
        local: Arc<dyn ChangeListener>,
        pool: &Pool<DB>,
        url: Option<&str>,
    ) -> Self {
        let name = Uuid::new_v4().simple().to_string();
        let mut tasks = JoinSet::new();
        let metrics = BroadcastMetrics::new();
        let subscriber = Subscriber::new(name.clone(), Arc::clone(&local), metrics.clone());
        let subscriber = Arc::new(subscriber);
        let listening = url.and_then(|url| DB::listen(url.to_owned(), subscriber));
        let remote = listening.map(|listening| {
            tasks.spawn(listening);
            let hints = Arc::new(PendingHints::default());
            tasks.spawn(publisher::publish(
                Arc::clone(&hints),
                pool.clone(),
                name,
                metrics,
            ));
            hints
        });
        Self {
            local,
            remote,
            tasks: Mutex::new(tasks),
        }
    }

    /// Stops publishing and listening.
    pub fn close(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.abort_all();
    }
}

impl ChangeListener for Broadcast {
    fn on_arrivals(&self, arrivals: Vec<Arrival>) {
        self.local.on_arrivals(arrivals);
    }

    fn on_changed(&self, heads: &[MailboxHead]) {
        self.local.on_changed(heads);
        if let Some(hints) = &self.remote {
            hints.add(heads);
        }
    }

    fn on_hints_lost(&self) {
        self.local.on_hints_lost();
    }

    fn on_database_replaced(&self) {
        self.local.on_database_replaced();
    }
}

#[cfg(test)]
mod tests {
    use storage::MailboxKey;

    use super::*;
    use crate::db::notification::NotificationHandler as _;

    #[derive(Default)]
    struct Recorder(Mutex<(Vec<MailboxHead>, usize)>);

    impl ChangeListener for Recorder {
        fn on_changed(&self, heads: &[MailboxHead]) {
            self.0.lock().expect("a lock").0.extend(heads);
        }

        fn on_hints_lost(&self) {
            self.0.lock().expect("a lock").1 += 1;
        }

        fn on_database_replaced(&self) {}
    }

    fn heads(count: i64) -> Vec<MailboxHead> {
        let head = |mailbox_id| MailboxHead {
            mailbox: MailboxKey {
                app_no: 7,
                mailbox_id,
            },
            seq: i64::MAX - mailbox_id,
        };
        (0..count).map(head).collect()
    }

    /// The heads that the store "me" receives from `sender`, and the number of gaps.
    fn received(sent: &[MailboxHead], sender: &str) -> (Vec<MailboxHead>, usize) {
        let hints = PendingHints::default();
        hints.add(sent);
        hints.add(&[]);
        let recorder = Arc::new(Recorder::default());
        let subscriber =
            Subscriber::new("me".to_owned(), recorder.clone(), BroadcastMetrics::new());
        for payload in hints.take(sender) {
            assert!(payload.len() <= publisher::PAYLOAD_BYTES_MAX);
            subscriber.on_notification(&payload);
        }
        let mut received = std::mem::take(&mut *recorder.0.lock().expect("a lock"));
        received.0.sort_by_key(|head| head.mailbox);
        received
    }

    #[test]
    fn hints_reach_the_other_stores_only() {
        for count in [0, 1, 2_000] {
            assert_eq!(received(&heads(count), "other"), (heads(count), 0));
            assert_eq!(received(&heads(count), "me"), (Vec::new(), 0));
        }
        assert_eq!(received(&heads(10_000), "other"), (Vec::new(), 1));
    }

    #[test]
    fn a_mailbox_is_named_once_with_its_greatest_seq() {
        let [head] = heads(1)[..] else {
            panic!("one");
        };
        let before = MailboxHead {
            seq: head.seq - 5,
            ..head
        };
        assert_eq!(received(&[before, head, before], "other").0, [head]);
    }

    #[test]
    fn a_malformed_notification_counts_as_a_gap() {
        let recorder = Arc::new(Recorder::default());
        let subscriber =
            Subscriber::new("me".to_owned(), recorder.clone(), BroadcastMetrics::new());
        for payload in ["other 1.2", "other x", "other 1.2.3 4.5."] {
            subscriber.on_notification(payload);
        }
        assert_eq!(recorder.0.lock().expect("a lock").1, 3);
    }
}
