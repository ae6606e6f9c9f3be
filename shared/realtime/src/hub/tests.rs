//! Who is woken, and what is known without asking the store.

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

/// The news that there is, if there is some.
fn news(subscription: &mut Subscription, seen: i64) -> Option<News> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(subscription.news(seen)).poll(&mut context) {
        Poll::Ready(news) => Some(news),
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
fn a_message_is_known_while_it_is_all_that_there_is_to_see() {
    let hub = Hub::new();
    let mut subscription = hub.subscribe(MAILBOX, 1).expect("a place");
    hub.on_arrivals(arrival(5));
    assert_eq!(news(&mut subscription, 4), None);
    assert_eq!(subscription.arrived(&seen(4)), None);
    hub.on_changed(&head(5));
    assert_eq!(news(&mut subscription, 4), Some(News::Changed));
    let feed = subscription.arrived(&seen(4)).expect("a feed");
    assert_eq!((feed.changes.len(), feed.head, feed.more), (1, 5, false));
    for not_all in [3, 5, 6] {
        assert_eq!(subscription.arrived(&seen(not_all)), None, "{not_all}");
    }
    hub.on_changed(&head(6));
    assert_eq!(subscription.arrived(&seen(4)), None);
}

#[test]
fn after_a_doubt_the_store_is_asked_once_whatever_comes() {
    let hub = Hub::new();
    let mut subscription = hub.subscribe(MAILBOX, 1).expect("a place");
    hub.doubt(&[MAILBOX]);
    hub.on_arrivals(arrival(5));
    hub.on_changed(&head(5));
    assert_eq!(news(&mut subscription, 4), Some(News::Changed));
    assert_eq!(subscription.arrived(&seen(4)), None);
    assert!(subscription.arrived(&seen(4)).is_some());

    // A poll that is late, and takes back what has come since.
    hub.on_changed(&head(6));
    hub.polled(&head(5));
    hub.on_arrivals(arrival(5));
    assert_eq!(news(&mut subscription, 4), Some(News::Changed));
    assert_eq!(subscription.arrived(&seen(4)), None);
}

#[test]
fn a_change_wakes_those_who_have_not_seen_it() {
    let hub = Hub::new();
    let mut one = hub.subscribe(MAILBOX, 2).expect("a place");
    let mut other = hub.subscribe(MAILBOX, 2).expect("a place");
    hub.on_changed(&head(5));
    assert_eq!(news(&mut one, 4), Some(News::Changed));
    assert_eq!(news(&mut one, 5), None);
    assert_eq!(news(&mut other, 5), None);
    hub.on_changed(&head(4));
    assert_eq!(news(&mut one, 5), None);
}

#[test]
fn a_poll_also_wakes_where_the_number_fell_and_doubt_wakes_in_any_case() {
    let hub = Hub::new();
    let mut subscription = hub.subscribe(MAILBOX, 2).expect("a place");
    hub.on_changed(&head(5));
    assert_eq!(news(&mut subscription, 4), Some(News::Changed));
    hub.polled(&head(5));
    assert_eq!(news(&mut subscription, 5), None);
    hub.polled(&head(3));
    assert_eq!(news(&mut subscription, 5), Some(News::Changed));
    hub.doubt(&[MAILBOX]);
    assert_eq!(news(&mut subscription, 3), Some(News::Changed));
    hub.polled(&head(3));
    assert_eq!(news(&mut subscription, 3), None);
}

#[test]
fn lost_hints_wake_the_poll_and_nobody_else() {
    let hub = Hub::new();
    let mut subscription = hub.subscribe(MAILBOX, 2).expect("a place");
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(hub.stirred()).poll(&mut context).is_pending());
    hub.on_hints_lost();
    assert_eq!(news(&mut subscription, 0), None);
    assert!(pin!(hub.stirred()).poll(&mut context).is_ready());
    assert!(!hub.was_replaced());
    hub.on_database_replaced();
    assert!(pin!(hub.stirred()).poll(&mut context).is_ready());
    assert!(hub.was_replaced() && !hub.was_replaced());
}

#[test]
fn a_poll_that_is_late_takes_no_news_away() {
    let hub = Hub::new();
    let mut subscription = hub.subscribe(MAILBOX, 2).expect("a place");
    hub.on_changed(&head(6));
    hub.polled(&head(5));
    assert_eq!(news(&mut subscription, 5), Some(News::Changed));
    hub.polled(&head(6));
    assert_eq!(news(&mut subscription, 6), None);
}

#[test]
fn who_is_gone_makes_room_and_is_forgotten() {
    let hub = Hub::new();
    let one = hub.subscribe(MAILBOX, 1).expect("a place");
    let refused = hub.subscribe(MAILBOX, 1).map(drop);
    assert_eq!(refused, Err(Refused::TooMany));
    let held = one.place();
    drop(one);
    let refused = hub.subscribe(MAILBOX, 1).map(drop);
    assert_eq!(refused, Err(Refused::TooMany));
    drop(held);
    assert!(hub.mailboxes().is_empty());
    let mut one = hub.subscribe(MAILBOX, 1).expect("a place");
    hub.drain();
    assert!(one.drains());
    assert_eq!(news(&mut one, 0), Some(News::Draining));
    let refused = hub.subscribe(MAILBOX, 9).map(drop);
    assert_eq!(refused, Err(Refused::Draining));
}
