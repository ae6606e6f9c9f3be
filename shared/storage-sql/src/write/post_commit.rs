//! Effects of a batch after its commit: filling the message cache, and calling the listeners
//! of changes.

use std::collections::HashMap;
use std::sync::Arc;

use domain::ledger::Changes;
use domain::message::Envelope;
use domain::{Entry, Message, MessageId};
use storage::{Arrival, ChangeListener, FeedOffset, Item, MailboxHead, MailboxKey};
use uuid::Uuid;

use crate::message_cache::{self, MessageCache};

/// Maximum bytes of a message that is passed to the streams with its entry; they read larger
/// ones themselves.
const ARRIVAL_BYTES_MAX: usize = 4096;
/// Minimum lifetime of such a message, so that it does not expire on its way.
const ARRIVAL_LIFETIME_MIN_MS: i64 = 60_000;

/// The cache entries and notices of a batch.
pub struct PostCommit {
    epoch: Uuid,
    /// New messages and new versions, by app.
    messages: Vec<(i64, Arc<Message>)>,
    /// New entries that are the last change of their mailbox.
    arrivals: Vec<Arrival>,
    /// Changed mailboxes.
    heads: Vec<MailboxHead>,
}

impl PostCommit {
    /// Collects the effects of each app's changes.
    pub fn of(changes: Vec<(i64, Changes)>, epoch: Uuid) -> Self {
        let mut effects = Self {
            epoch,
            messages: Vec::new(),
            arrivals: Vec::new(),
            heads: Vec::new(),
        };
        for (app_no, changes) in changes {
            effects.add(app_no, changes);
        }
        effects
    }

    fn add(&mut self, app_no: i64, changes: Changes) {
        let key = |mailbox_id| MailboxKey { app_no, mailbox_id };
        let mailboxes = changes.mailboxes.iter();
        let last: HashMap<_, _> = mailboxes
            .map(|mailbox| (mailbox.mailbox_id, (mailbox.seq, mailbox.counts)))
            .collect();
        let new = changes.new_messages.into_iter();
        let new: HashMap<MessageId, Arc<Message>> = new
            .map(|message| (message.envelope.message_id, Arc::new(message)))
            .collect();
        let arrival = |(mailbox_id, entry): (i64, Entry)| {
            let (seq, counts) = *last.get(&mailbox_id)?;
            let message = new.get(&entry.message_id)?;
            (entry.seq == seq && may_arrive(message)).then(|| Arrival {
                mailbox: key(mailbox_id),
                offset: FeedOffset {
                    epoch: self.epoch,
                    seq,
                },
                item: Item {
                    entry,
                    message: Arc::clone(message),
                },
                counts,
            })
        };
        let arrivals = changes.new_entries.into_iter().filter_map(arrival);
        self.arrivals.extend(arrivals);
        let heads = last.iter().map(|(mailbox_id, (seq, _))| MailboxHead {
            mailbox: key(*mailbox_id),
            seq: *seq,
        });
        let of_all = changes.bulk_events.last().map(|event| MailboxHead {
            mailbox: MailboxKey::all_of(app_no),
            seq: event.bulk_no,
        });
        self.heads.extend(heads.chain(of_all));
        let rewritten = changes.contents.into_iter().map(Arc::new);
        let written = new.into_values().chain(rewritten);
        self.messages
            .extend(written.map(|message| (app_no, message)));
    }

    /// Fills the cache, and calls the listener.
    pub fn run(self, cache: &MessageCache, listener: &dyn ChangeListener) {
        for (app_no, message) in &self.messages {
            cache.insert(self.epoch, *app_no, message);
        }
        listener.on_arrivals(self.arrivals);
        listener.on_changed(&self.heads);
    }
}

fn may_arrive(message: &Message) -> bool {
    let Envelope {
        send_ms, expire_ms, ..
    } = &message.envelope;
    message_cache::weight(message) <= ARRIVAL_BYTES_MAX
        && send_ms.after(ARRIVAL_LIFETIME_MIN_MS) <= *expire_ms
}
