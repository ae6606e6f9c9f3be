use std::time::Duration;

use domain::operation::{DeleteMessages, MarkMessagesRead, NamedEntries, SettleMailbox};
use domain::{Action, AppId, MessageId, Msgbox, Operation};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::*;
use crate::table::app::AppKey;

type AppTurns = RoundRobin<AppNo, RoundRobin<Actor, ActorQueue>>;

fn queued(app_no: i64, action: impl Into<Action>) -> QueuedOperation {
    let operation = Operation::from(action.into());
    let now = Instant::now();
    let (reply, answer) = oneshot::channel();
    // Until its caller goes, an operation does not expire.
    std::mem::forget(answer);
    QueuedOperation {
        queued: now,
        app: AppKey {
            app_no,
            app_id: AppId::parse(&app_no.to_string()).expect("an app id"),
        },
        weight: operation.action.weight(),
        operation,
        budget: (now + Duration::from_hours(1)).into(),
        is_begun: false,
        reply,
    }
}

fn ids(count: usize) -> Vec<MessageId> {
    (0..count).map(|_| MessageId::new(Uuid::now_v7())).collect()
}

pub fn mark(app_no: i64, owner: &str, count: usize) -> QueuedOperation {
    let owner = ProfileId::parse(owner).expect("a profile id");
    let mark = MarkMessagesRead {
        entries: NamedEntries::new(owner, Msgbox::Inbox, ids(count)),
        read: true,
    };
    queued(app_no, mark)
}

/// App and user of an operation; `sys` for the app itself.
pub fn name(operation: &QueuedOperation) -> String {
    let actor = operation.operation.action.actor();
    let actor = actor.map_or("sys", ProfileId::as_str);
    format!("{}/{actor}", operation.app.app_no)
}

fn drain(queues: &mut AppTurns) -> Vec<String> {
    let mut drained = Vec::new();
    while queues.next(Instant::now()).is_some() {
        drained.push(name(&queues.pop().expect("the next one")));
    }
    drained
}

#[test]
fn users_of_an_app_and_the_app_itself_alternate() {
    let mut queues = AppTurns::default();
    for _ in 0..3 {
        queues.push(mark(1, "ann", QUANTUM_ENTRIES));
    }
    for _ in 0..2 {
        queues.push(mark(1, "bob", QUANTUM_ENTRIES));
    }
    queues.push(queued(1, DeleteMessages::new(ids(1))));
    let expected = ["1/sys", "1/ann", "1/bob", "1/ann", "1/bob", "1/ann"];
    let mut drained = drain(&mut queues);
    drained[..3].sort();
    let mut expected = expected.map(str::to_owned);
    expected[..3].sort();
    assert_eq!(drained, expected);
    assert_eq!(queues.load(), Load::default());
}

#[test]
fn a_user_has_half_of_the_share_of_the_app_beside_another_user() {
    let mut queues = AppTurns::default();
    for _ in 0..8 {
        queues.push(mark(1, "ann", QUANTUM_ENTRIES));
        queues.push(mark(1, "bob", QUANTUM_ENTRIES));
        queues.push(mark(2, "cid", QUANTUM_ENTRIES));
    }
    let drained = drain(&mut queues);
    let first = |name: &str| drained[..12].iter().filter(|it| *it == name).count();
    assert_eq!(["1/ann", "1/bob", "2/cid"].map(first), [3, 3, 6]);
}

#[test]
fn a_large_operation_waits_for_turns_that_cover_it() {
    let mut queues = AppTurns::default();
    for _ in 0..2 {
        let mut large = mark(1, "ann", 1);
        large.weight.entries = 8 * QUANTUM_ENTRIES;
        queues.push(large);
    }
    for _ in 0..16 {
        queues.push(mark(1, "bob", QUANTUM_ENTRIES));
    }
    let drained = drain(&mut queues);
    let large = drained.iter().enumerate().filter(|(_, it)| *it == "1/ann");
    let positions: Vec<usize> = large.map(|(position, _)| position).collect();
    assert_eq!(positions, [7, 16]);
}

#[test]
fn an_operation_without_a_caller_costs_nothing() {
    let mut queues = AppTurns::default();
    for _ in 0..100 {
        let mut gone = mark(1, "ann", QUANTUM_ENTRIES);
        (gone.reply, _) = oneshot::channel();
        queues.push(gone);
    }
    queues.push(mark(1, "ann", 1));
    queues.push(mark(1, "bob", 1));
    assert_eq!(drain(&mut queues), ["1/ann", "1/bob"]);
    assert_eq!(queues.load(), Load::default());
}

#[test]
fn the_user_with_most_in_the_app_with_most_is_evicted() {
    let mut queues = AppTurns::default();
    for (user, count) in [("ann", 1), ("bob", 3), ("cid", 2)] {
        for _ in 0..count {
            queues.push(mark(1, user, 1));
        }
    }
    for _ in 0..4 {
        queues.push(mark(2, "dan", 1));
    }
    let evicted = |queues: &mut AppTurns, newcomer: &QueuedOperation| {
        let can_evict = queues.can_evict_for(Some(newcomer), Resource::Operations);
        let evicted = queues.evict_for(Some(newcomer), Resource::Operations);
        assert_eq!(can_evict, evicted.is_some());
        evicted.as_ref().map(name)
    };
    let stranger = mark(3, "eve", 1);
    assert_eq!(evicted(&mut queues, &stranger).as_deref(), Some("1/bob"));
    // Of two with as many, the one with the newest.
    assert_eq!(evicted(&mut queues, &stranger).as_deref(), Some("1/cid"));
    let ann = mark(1, "ann", 1);
    assert_eq!(evicted(&mut queues, &ann), None, "two of either's");
    let newcomer = mark(2, "eve", 1);
    assert_eq!(evicted(&mut queues, &newcomer).as_deref(), Some("2/dan"));
    let dan = mark(2, "dan", 1);
    assert_eq!(evicted(&mut queues, &dan), None);
}

#[test]
fn a_begun_operation_is_not_evicted() {
    let mut queues = AppTurns::default();
    for _ in 0..2 {
        queues.push(QueuedOperation {
            is_begun: true,
            ..mark(1, "ann", 1)
        });
    }
    let stranger = mark(2, "bob", 1);
    assert!(!queues.can_evict_for(Some(&stranger), Resource::Operations));
    assert!(
        queues
            .evict_for(Some(&stranger), Resource::Operations)
            .is_none()
    );
    assert_eq!(queues.load().operations, 2);
}

#[test]
fn a_settle_takes_the_turn_of_its_owner() {
    let owner = ProfileId::parse("ann").expect("a profile id");
    let settle = queued(1, SettleMailbox::from(owner));
    assert_eq!(name(&settle), "1/ann");
}
