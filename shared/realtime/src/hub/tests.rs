//! Wake-ups of the hub, and arrivals that need no read.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use domain::content::ContentKind;
use domain::mailbox::Counts;
use domain::message::Envelope;
use domain::{
    Content, Draft, Entry, Message, MessageId, MessageKind, Millis, Msgbox, Policy, Sender,
};
use storage::{FeedOffset, Item};
use uuid::Uuid;

use super::*;

const MAILBOX: MailboxKey = MailboxKey {
    app_no: 1,
    mailbox_id: 2,
};

fn head(seq: i64) -> [MailboxHead; 1] {
    [MailboxHead {
        mailbox: MAILBOX,
        seq,
    }]
}

/// The event that is pending for a stream, if there is one.
fn event(subscription: &mut Subscription, seen: i64) -> Option<SubscriptionEvent> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(subscription.next_event(seen)).poll(&mut context) {
        Poll::Ready(event) => Some(event),
        Poll::Pending => None,
    }
}

const EPOCH: Uuid = Uuid::nil();

fn seen(seq: i64) -> FeedPosition {
    FeedOffset { epoch: EPOCH, seq }.into()
}

fn arrival(seq: i64) -> Vec<Arrival> {
    let message_id = MessageId::new(Uuid::nil());
    let content = Content {
        kind: ContentKind::Json,
        encoded: Vec::new().into(),
        digest: [0; 32],
    };
    let draft = Draft {
        lifetime_ms: Some(9),
        ..Draft::new(Sender::default(), content.clone())
    };
    let (kind, policy) = (MessageKind::Regular, Policy::default());
    let message = Message {
        envelope: Envelope::sent(&draft, kind, message_id, &policy, Millis(1)),
        content,
    };
    let Envelope {
        send_ms, expire_ms, ..
    } = message.envelope;
    let entry = Entry {
        msgbox: Msgbox::Inbox,
        message_id,
        seq,
        create_seq: seq,
        create_ms: send_ms,
        update_ms: send_ms,
        version: 1,
        content_version: 1,
        read_ms: None,
        delivered_ms: None,
        expire_ms,
        sender_id: None,
    };
    vec![Arrival {
        mailbox: MAILBOX,
        offset: FeedOffset { epoch: EPOCH, seq },
        item: Item {
            entry,
            message: Arc::new(message),
        },
        counts: Counts::default(),
    }]
}

#[test]
fn an_arrival_needs_no_read_while_it_is_the_only_change() {
    let hub = Hub::new();
    let mut subscription = hub.subscribe(MAILBOX, 1).expect("a slot");
    hub.on_arrivals(arrival(5));
    assert_eq!(event(&mut subscription, 4), None);
    assert_eq!(subscription.arrived(&seen(4)), None);
    hub.on_changed(&head(5));
    assert_eq!(
        event(&mut subscription, 4),
        Some(SubscriptionEvent::Changed)
    );
    let feed = subscription.arrived(&seen(4)).expect("a feed");
    assert_eq!((feed.changes.len(), feed.head, feed.more), (1, 5, false));
    for other in [3, 5, 6] {
        assert_eq!(subscription.arrived(&seen(other)), None, "{other}");
    }
    hub.on_changed(&head(6));
    assert_eq!(subscription.arrived(&seen(4)), None);
}

#[test]
fn an_invalidation_causes_one_read_from_the_store() {
    let hub = Hub::new();
    let mut subscription = hub.subscribe(MAILBOX, 1).expect("a slot");
    hub.invalidate(&[MAILBOX]);
    hub.on_arrivals(arrival(5));
    hub.on_changed(&head(5));
    assert_eq!(
        event(&mut subscription, 4),
        Some(SubscriptionEvent::Changed)
    );
    assert_eq!(subscription.arrived(&seen(4)), None);
    assert!(subscription.arrived(&seen(4)).is_some());

    // A poll that read the head before the last notification.
    hub.on_changed(&head(6));
    hub.apply_poll(&head(5));
    hub.on_arrivals(arrival(5));
    assert_eq!(
        event(&mut subscription, 4),
        Some(SubscriptionEvent::Changed)
    );
    assert_eq!(subscription.arrived(&seen(4)), None);
}

#[test]
fn a_change_wakes_the_streams_that_have_not_seen_it() {
    let hub = Hub::new();
    let mut one = hub.subscribe(MAILBOX, 2).expect("a slot");
    let mut other = hub.subscribe(MAILBOX, 2).expect("a slot");
    hub.on_changed(&head(5));
    assert_eq!(event(&mut one, 4), Some(SubscriptionEvent::Changed));
    assert_eq!(event(&mut one, 5), None);
    assert_eq!(event(&mut other, 5), None);
    hub.on_changed(&head(4));
    assert_eq!(event(&mut one, 5), None);
}

#[test]
fn a_poll_wakes_after_a_lower_seq_and_an_invalidation_wakes_always() {
    let hub = Hub::new();
    let mut subscription = hub.subscribe(MAILBOX, 2).expect("a slot");
    hub.on_changed(&head(5));
    assert_eq!(
        event(&mut subscription, 4),
        Some(SubscriptionEvent::Changed)
    );
    hub.apply_poll(&head(5));
    assert_eq!(event(&mut subscription, 5), None);
    hub.apply_poll(&head(3));
    assert_eq!(
        event(&mut subscription, 5),
        Some(SubscriptionEvent::Changed)
    );
    hub.invalidate(&[MAILBOX]);
    assert_eq!(
        event(&mut subscription, 3),
        Some(SubscriptionEvent::Changed)
    );
    hub.apply_poll(&head(3));
    assert_eq!(event(&mut subscription, 3), None);
}

#[test]
fn a_lost_hint_requests_a_poll_and_wakes_no_stream() {
    let hub = Hub::new();
    let mut subscription = hub.subscribe(MAILBOX, 2).expect("a slot");
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(hub.poll_requested()).poll(&mut context).is_pending());
    hub.on_hints_lost();
    assert_eq!(event(&mut subscription, 0), None);
    assert!(pin!(hub.poll_requested()).poll(&mut context).is_ready());
    assert!(!hub.take_database_replaced());
    hub.on_database_replaced();
    assert!(pin!(hub.poll_requested()).poll(&mut context).is_ready());
    assert!(hub.take_database_replaced() && !hub.take_database_replaced());
}

#[test]
fn a_late_poll_hides_no_notified_change() {
    let hub = Hub::new();
    let mut subscription = hub.subscribe(MAILBOX, 2).expect("a slot");
    hub.on_changed(&head(6));
    hub.apply_poll(&head(5));
    assert_eq!(
        event(&mut subscription, 5),
        Some(SubscriptionEvent::Changed)
    );
    hub.apply_poll(&head(6));
    assert_eq!(event(&mut subscription, 6), None);
}

#[test]
fn a_slot_is_free_once_all_its_holders_are_dropped() {
    let hub = Hub::new();
    let one = hub.subscribe(MAILBOX, 1).expect("a slot");
    let error = hub.subscribe(MAILBOX, 1).map(drop);
    assert_eq!(error, Err(SubscribeError::TooManyStreams));
    let held = one.slot();
    drop(one);
    let error = hub.subscribe(MAILBOX, 1).map(drop);
    assert_eq!(error, Err(SubscribeError::TooManyStreams));
    drop(held);
    assert!(hub.mailboxes().is_empty());
    let mut one = hub.subscribe(MAILBOX, 1).expect("a slot");
    hub.drain();
    assert!(one.is_draining());
    assert_eq!(event(&mut one, 0), Some(SubscriptionEvent::Draining));
    let error = hub.subscribe(MAILBOX, 9).map(drop);
    assert_eq!(error, Err(SubscribeError::Draining));
}
