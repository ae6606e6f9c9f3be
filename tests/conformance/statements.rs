//! Number of statements of a write: equal for one and for a hundred recipients.
//!
//! sqlx logs statements for the whole process, so each of these tests runs again in a process of
//! its own.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::{Action, Msgbox};
use support::on_each_database;
use support::store::DatabaseKind;

use super::builders::{block, from_user, mark, recall, send, sent, text, update};
use super::fixture::StoreFixture;
use super::own_process;

on_each_database![a_write_takes_as_many_statements_for_hundred_recipients_as_for_one,];

const TEST: &str = "a_write_takes_as_many_statements_for_hundred_recipients_as_for_one";

/// Set in the process that counts.
const COUNTING: &str = "POSTROOM_TEST_COUNTS_STATEMENTS";

static STATEMENTS: AtomicUsize = AtomicUsize::new(0);

/// Counts what is written to it: one statement each.
struct StatementCounter;

impl io::Write for StatementCounter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        STATEMENTS.fetch_add(1, Ordering::SeqCst);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn a_write_takes_as_many_statements_for_hundred_recipients_as_for_one(
    fixture: &StoreFixture,
) {
    if std::env::var_os(COUNTING).is_some() {
        count_all(fixture).await;
    } else {
        own_process::run(module_path!(), TEST, fixture.test.backend(), COUNTING);
    }
}

async fn count_all(fixture: &StoreFixture) {
    tracing_subscriber::fmt()
        .with_env_filter("sqlx::query=debug")
        .with_writer(|| StatementCounter)
        .init();
    let names: Vec<String> = (0..100).map(|number| format!("profile{number}")).collect();
    let many: Vec<&str> = names.iter().map(String::as_str).collect();
    let few = &many[..1];
    // Creates the app.
    fixture.send("bob", &["cid"]).await;
    // Mailboxes that begin take three more, however many they are: they are created, locked, and
    // counted for the sender; and one to tell that no other transaction holds them.
    let beginning = [
        count_sending(fixture, few).await,
        count_sending(fixture, &many).await,
    ];
    let sending = count_sending(fixture, &many).await;
    let looks = usize::from(fixture.test.backend() == DatabaseKind::Postgres);
    assert_eq!(beginning, [sending + 3 + looks; 2]);
    // Blocks take one, however many there are, and only among those who have any.
    fixture.done(block("dora", "eve")).await;
    let blocked = [
        count_sending(fixture, &[many[0], "dora"]).await,
        count_sending(fixture, &[&many[1..], &["dora"]].concat()).await,
    ];
    assert_eq!(blocked, [sending + 1; 2]);
    assert_eq!(count_sending(fixture, &many).await, sending);

    let mut counted: Vec<[usize; 7]> = Vec::new();
    for to in [few, &many[..], few, &many[..]] {
        counted.push(count_writes(fixture, to).await);
    }
    let [first, ..] = counted[..] else {
        panic!("nothing was counted");
    };
    assert!(
        first.iter().all(|count| (5..=15).contains(count)),
        "{first:?}"
    );
    assert!(counted.iter().all(|counts| *counts == first), "{counted:?}");
}

async fn count_sending(fixture: &StoreFixture, to: &[&str]) -> usize {
    let began = count();
    fixture.send("ann", to).await;
    count() - began
}

/// Statements of each write of a message to these recipients.
async fn count_writes(fixture: &StoreFixture, to: &[&str]) -> [usize; 7] {
    let began = count();
    let message = fixture.send("ann", to).await;
    let sending = count() - began;
    let again = fixture.send("ann", to).await;
    let news = fixture.announce(to).await;
    let one = taken(fixture, vec![update(message, "new", None)]).await;
    let two = taken(fixture, vec![mark(to[0], &[message, again, news], true)]).await;
    let three = taken(fixture, vec![recall("ann", Msgbox::Sent, &[message])]).await;
    let four = taken(fixture, vec![recall("ann", Msgbox::Sent, &[again])]).await;
    let letter = |words: &str| Action::SendMessage(from_user("ann", to, text(words)));
    let batch = |size: usize| (0..size).map(|_| letter("hi")).collect::<Vec<_>>();
    let five = taken(fixture, batch(2)).await;
    let six = taken(fixture, batch(20)).await;
    assert_eq!(five, six, "a batch takes as many as one operation");
    assert_eq!(five, sending);
    let other = sent(fixture.act(send("ann", to)).await);
    let seven = taken(
        fixture,
        vec![update(other, "new", None), update(news, "new", None)],
    )
    .await;
    [sending, one, two, three, four, six, seven]
}

async fn taken(fixture: &StoreFixture, batch: Vec<Action>) -> usize {
    let before = count();
    let verdicts = fixture.batch(batch).await;
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    count() - before
}

fn count() -> usize {
    STATEMENTS.load(Ordering::SeqCst)
}
