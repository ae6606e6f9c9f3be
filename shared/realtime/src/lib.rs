//! Who follows which mailbox here, and how they learn that there is something to see.
//!
//! A wake-up says "look": what there is to see is read from the store, so one that is lost
//! delays and loses nothing. Only the last message of a mailbox is kept here, while it is
//! small: who has seen all that was before it need not read it. [`follow`] asks the store from
//! time to time for all mailboxes that somebody follows, and would be enough by itself.

mod hub;
mod poll;

pub use hub::{Hub, News, Place, Refused, Subscription};
pub use poll::{POLL_EVERY, follow};
