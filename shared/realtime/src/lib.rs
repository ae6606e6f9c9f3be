//! Subscriptions to mailboxes, and the wake-ups of their streams.
//!
//! A wake-up is a hint to read the feed from the store: a lost one delays a change and loses
//! nothing. The [`Hub`] keeps only the last arrival of a mailbox, while it is small, so that streams
//! which have seen everything before it need no read. [`start_polling`] asks the store periodically
//! for all followed mailboxes, and would suffice without any notification.

mod hub;
mod poll;

pub use hub::{Hub, StreamSlot, SubscribeError, Subscription, SubscriptionEvent};
pub use poll::{POLL_INTERVAL, start_polling};
