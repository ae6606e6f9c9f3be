//! The carrier: what stores on one database tell each other, so that nobody waits for a
//! poll.
//!
//! A hint is sent outside the transaction that it is about, and many hints as one. It may
//! be late, doubled or lost: it only says where to look.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use storage::{Arrival, Error, Head, MailboxKey, Wake};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::backend::Backend;
use crate::connection::Connection;
use crate::rows::Call;
use crate::statement::Statement;
use crate::warm::Warm;

/// The name under which stores hear each other.
pub const CHANNEL: &str = "postroom";

/// How long hints are gathered before they are sent.
const GATHER: Duration = Duration::from_millis(10);
/// How long sending may take.
const SEND_WITHIN: Duration = Duration::from_secs(2);
/// Bytes of one notification, which the database bounds at 8,000.
const NOTIFICATION_BYTES_MAX: usize = 7_500;
/// Mailboxes that are named; of more, all have to look.
const NAMED_MAX: usize = 4_096;
/// What says that any mailbox may have changed.
const ALL: &str = "*";

static NOTIFY: Statement = Statement::new(2, "SELECT pg_notify($1, $2)");

/// Tells those who follow mailboxes here, and the other stores.
pub struct Carrier {
    here: Arc<dyn Wake>,
    elsewhere: Option<Arc<Outbox>>,
    tasks: Mutex<JoinSet<()>>,
}

/// What is to be sent with the next notification.
#[derive(Default)]
struct Outbox {
    heads: Mutex<HashMap<MailboxKey, i64>>,
    filled: Notify,
}

impl Carrier {
    /// A carrier to those here, and by `url` from and to the other stores, if there is one
    /// and the database can do it.
    pub fn start<DB: Backend>(here: Arc<dyn Wake>, pool: &Warm<DB>, url: Option<&str>) -> Self {
        let name = Uuid::new_v4().simple().to_string();
        let mut tasks = JoinSet::new();
        let ears = Ears {
            name: name.clone(),
            here: Arc::clone(&here),
        };
        let listening = url.and_then(|url| DB::listen(url.to_owned(), ears));
        let elsewhere = listening.map(|listening| {
            tasks.spawn(listening);
            let outbox = Arc::new(Outbox::default());
            tasks.spawn(send_all(Arc::clone(&outbox), pool.clone(), name));
            outbox
        });
        Self {
            here,
            elsewhere,
            tasks: Mutex::new(tasks),
        }
    }

    /// Says and hears nothing more.
    pub fn close(&self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.abort_all();
    }
}

impl Wake for Carrier {
    fn arrived(&self, arrivals: Vec<Arrival>) {
        self.here.arrived(arrivals);
    }

    fn changed(&self, heads: &[Head]) {
        self.here.changed(heads);
        if let Some(outbox) = &self.elsewhere {
            outbox.put(heads);
        }
    }

    fn lost(&self) {
        self.here.lost();
    }

    fn replaced(&self) {
        self.here.replaced();
    }
}

impl Outbox {
    fn put(&self, heads: &[Head]) {
        if heads.is_empty() {
            return;
        }
        let mut gathered = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        for head in heads {
            // One too many says that there are too many.
            if gathered.len() <= NAMED_MAX {
                let seq = gathered.entry(head.mailbox).or_insert(head.seq);
                *seq = head.seq.max(*seq);
            }
        }
        drop(gathered);
        self.filled.notify_one();
    }

    /// What is to be sent, in as many notifications as it takes.
    fn take(&self, name: &str) -> Vec<String> {
        let mut gathered = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        let heads = std::mem::take(&mut *gathered);
        drop(gathered);
        if heads.len() > NAMED_MAX {
            return vec![format!("{name} {ALL}")];
        }
        let mut texts: Vec<String> = Vec::new();
        for (key, seq) in heads {
            let word = format!(" {}.{}.{seq}", key.app_no, key.mailbox_id);
            match texts.last_mut() {
                Some(text) if text.len() + word.len() <= NOTIFICATION_BYTES_MAX => *text += &word,
                _ => texts.push(format!("{name}{word}")),
            }
        }
        texts
    }
}

async fn send_all<DB: Backend>(outbox: Arc<Outbox>, pool: Warm<DB>, name: String) {
    loop {
        outbox.filled.notified().await;
        for text in outbox.take(&name) {
            match timeout(SEND_WITHIN, send(&pool, &text)).await {
                Ok(Ok(())) => {}
                // The others poll.
                Ok(Err(error)) => tracing::debug!(error.source = %error, "carrier.send_failed"),
                Err(_) => tracing::debug!("carrier.send_late"),
            }
        }
        sleep(GATHER).await;
    }
}

async fn send<DB: Backend>(pool: &Warm<DB>, text: &str) -> Result<(), Error> {
    let call = Call::of(&NOTIFY).with(CHANNEL).with(text);
    Connection::of(pool).await?.execute(call).await.map(drop)
}

/// Who hears the other stores.
pub struct Ears {
    name: String,
    here: Arc<dyn Wake>,
}

impl Ears {
    /// Something was said.
    pub fn hear(&self, text: &str) {
        let mut words = text.split(' ');
        if words.next() == Some(&self.name) {
            return;
        }
        let heads: Option<Vec<Head>> = words.map(head).collect();
        match heads {
            Some(heads) => self.here.changed(&heads),
            None => self.here.lost(),
        }
    }

    /// Something may not have been heard.
    pub fn lost(&self) {
        self.here.lost();
    }
}

fn head(word: &str) -> Option<Head> {
    let mut numbers = word.split('.').map(|number| number.parse().ok());
    let mut next = || numbers.next().flatten();
    let mailbox = MailboxKey {
        app_no: next()?,
        mailbox_id: next()?,
    };
    Some(Head {
        mailbox,
        seq: next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Heard(Mutex<(Vec<Head>, usize)>);

    impl Wake for Heard {
        fn changed(&self, heads: &[Head]) {
            self.0.lock().expect("a lock").0.extend(heads);
        }

        fn lost(&self) {
            self.0.lock().expect("a lock").1 += 1;
        }

        fn replaced(&self) {}
    }

    fn heads(count: i64) -> Vec<Head> {
        let head = |mailbox_id| Head {
            mailbox: MailboxKey {
                app_no: 7,
                mailbox_id,
            },
            seq: i64::MAX - mailbox_id,
        };
        (0..count).map(head).collect()
    }

    /// What another store hears, and how often it has to look everywhere.
    fn heard(said: &[Head], speaker: &str) -> (Vec<Head>, usize) {
        let outbox = Outbox::default();
        outbox.put(said);
        outbox.put(&[]);
        let heard = Arc::new(Heard::default());
        let ears = Ears {
            name: "me".to_owned(),
            here: heard.clone(),
        };
        for text in outbox.take(speaker) {
            assert!(text.len() <= NOTIFICATION_BYTES_MAX);
            ears.hear(&text);
        }
        let mut heard = std::mem::take(&mut *heard.0.lock().expect("a lock"));
        heard.0.sort_by_key(|head| head.mailbox);
        heard
    }

    #[test]
    fn what_is_said_is_heard_and_not_by_oneself() {
        for count in [0, 1, 2_000] {
            assert_eq!(heard(&heads(count), "other"), (heads(count), 0));
            assert_eq!(heard(&heads(count), "me"), (Vec::new(), 0));
        }
        assert_eq!(heard(&heads(10_000), "other"), (Vec::new(), 1));
    }

    #[test]
    fn of_several_changes_the_last_is_said() {
        let [head] = heads(1)[..] else {
            panic!("one");
        };
        let before = Head {
            seq: head.seq - 5,
            ..head
        };
        assert_eq!(heard(&[before, head, before], "other").0, [head]);
    }

    #[test]
    fn what_is_not_understood_may_be_anything() {
        let heard = Arc::new(Heard::default());
        let ears = Ears {
            name: "me".to_owned(),
            here: heard.clone(),
        };
        for text in ["other 1.2", "other x", "other 1.2.3 4.5."] {
            ears.hear(text);
        }
        assert_eq!(heard.0.lock().expect("a lock").1, 3);
    }
}
