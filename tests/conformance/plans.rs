//! Query plans: no statement of a call scans a table.
//!
//! The statements are those that sqlx logs, in a process of its own.

mod catalogue;
mod faults;
mod large_mailbox;
mod parameters;
mod states;
mod statistics;

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use domain::limits::{DAY_MS, TOMBSTONE_MS};
use domain::operation::ParticipantsChange;
use domain::page::{Criteria, Scan};
use domain::{ConversationId, Millis, Msgbox, Settings};
use futures::future::join_all;
use serde_json::Value;
use storage::{FeedLimits, FeedStart, MailboxKey, Requester};
use support::on_each_database;
use uuid::Uuid;

use super::builders::{
    app, block, clear, configure, delete, edit, mark, open, profile, recall, remove, remove_one,
    repeatable, send, sent, settle, to_all, unblock, update,
};
use super::conversations::{change, create, create_chosen, created, leave, set};
use super::fixture::{ALL_BYTES, StoreFixture};
use super::own_process;
use super::page_offsets::{SORTS, everything};

on_each_database![no_statement_scans_a_table,];

const TEST: &str = "no_statement_scans_a_table";

/// Set in the process that listens.
const LISTENING: &str = "POSTROOM_TEST_LISTENS_TO_STATEMENTS";

/// Tables that grow with use. `app`, `audit_head` and `server` stay small.
const TABLES: [&str; 12] = [
    "mailbox",
    "message",
    "msgbox",
    "msgbox_deleted",
    "request",
    "bulk",
    "bulk_tally",
    "block",
    "conversation",
    "participant",
    "audit",
    "audit_id",
];

/// Statements that a run has at least, so that it is known to have listened.
const STATEMENTS_MIN: usize = 30;

/// Statements that sqlx logged.
static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct StatementLog;

impl io::Write for StatementLog {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn no_statement_scans_a_table(fixture: &StoreFixture) {
    if std::env::var_os(LISTENING).is_none() {
        return own_process::run(module_path!(), TEST, fixture.test.backend(), LISTENING);
    }
    tracing_subscriber::fmt()
        .json()
        .with_env_filter("sqlx::query=debug")
        .with_writer(|| StatementLog)
        .init();
    write_everything(fixture).await;
    settle_everything(fixture).await;
    read_everything(fixture).await;
    follow_everything(fixture).await;

    let statements = statements();
    assert!(statements.len() >= STATEMENTS_MIN, "{statements:#?}");
    let raw = fixture.raw().await;
    for statement in statements {
        let plan = raw.plan(&statement).await;
        let bad = gone_through(&plan);
        assert!(bad.is_empty(), "{bad:#?} in {plan:#?} of {statement}");
    }
}

/// The lines of a plan that go through a table, or through all that an app has in it.
fn gone_through(plan: &[String]) -> Vec<&String> {
    let lines = plan.iter().enumerate();
    let bad = lines
        .filter(|(at, line)| goes_through(line) || is_index_gone_through(line, &plan[at + 1..]));
    bad.map(|(_, line)| line).collect()
}

fn goes_through(line: &str) -> bool {
    let scans = line.starts_with("SCAN") && is_large(line, "SCAN")
        || line.contains("Seq Scan") && is_large(line, "on");
    // By alias: `SEARCH m USING INDEX … (app_no=?)`.
    let whole_app = line.starts_with("SEARCH") && line.ends_with("(app_no=?)") && {
        // Apps, and their usage, of which each has 16 rows.
        let small = ["SEARCH a ", "SEARCH app ", "SEARCH u "];
        !small.iter().any(|table| line.starts_with(table))
    };
    scans || whole_app || line.contains("AUTOMATIC")
}

/// True if a line of a `PostgreSQL` plan reads a whole index. An index condition stands below it,
/// before the next step.
fn is_index_gone_through(line: &str, below: &[String]) -> bool {
    let is_index = line.contains("Index Scan") || line.contains("Index Only Scan");
    let is_bitmap = line.contains("Bitmap Index Scan");
    let mut details = below.iter().take_while(|line| !line.contains("->"));
    let is_sought = details.any(|line| line.trim().starts_with("Index Cond: "));
    (is_bitmap || is_index && is_large(line, "on")) && !is_sought
}

/// True if the word after `before` names a table that grows.
fn is_large(line: &str, before: &str) -> bool {
    let mut words = line.split_whitespace();
    let found = words.any(|word| word == before);
    found && words.next().is_some_and(|table| TABLES.contains(&table))
}

fn statements() -> BTreeSet<String> {
    let said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let said = String::from_utf8(said.clone()).expect("text");
    let lines = said.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let field = |name: &str| line["fields"][name].as_str().map(str::to_owned);
        let whole = field("db.statement").filter(|text| !text.is_empty());
        whole.or_else(|| field("summary")).expect("a statement")
    });
    let verbs = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"];
    let statements = lines.map(|text| text.trim().to_owned());
    statements
        .filter(|text| verbs.iter().any(|verb| text.starts_with(verb)))
        .filter(|text| !text.contains("_sqlx_migrations") && !text.contains("pg_catalog"))
        .collect()
}

async fn write_everything(fixture: &StoreFixture) {
    let first = fixture.send("ann", &["ann", "bob"]).await;
    let second = fixture.announce(&["ann", "bob"]).await;
    let third = fixture.send("bob", &["ann", "cid"]).await;
    for action in [
        open("dora"),
        mark("bob", &[first, second], true),
        edit("ann", first, "better"),
        update(second, "newer", None),
        delete("bob", Msgbox::Inbox, &[first]),
        recall("ann", Msgbox::Sent, &[first]),
        remove(&[second]),
        remove_one(third, None),
        clear("ann", Msgbox::Inbox),
        block("bob", "eve"),
        send("eve", &["bob"]),
        unblock("bob", "eve"),
        configure(Settings::default()),
    ] {
        fixture.done(action).await;
    }
    let talk = created(fixture.act(create("ann", &["bob"])).await).conversation_id;
    for action in [
        create_chosen("ann", &["bob"], ConversationId::new(Uuid::from_u128(7))),
        change(ParticipantsChange::Add, "ann", talk, &["cid"]),
        set("ann", talk, "a", "b"),
        leave("cid", talk),
    ] {
        fixture.done(action).await;
    }
    for _ in 0..2 {
        let again = repeatable("once", 1, send("ann", &["bob"]));
        fixture.execute(&app(), again).await.expect("a message");
    }
    let full = fixture
        .store_with(domain::Policy {
            max_box_messages: 1,
            max_unread_per_sender: 2,
            ..domain::Policy::default()
        })
        .await;
    for _ in 0..2 {
        let letter = super::builders::operation(send("eve", &["dora"]));
        // The second one finds the inbox full; the box of the sender drops its oldest.
        let _ = full.run(&app(), letter).await;
    }
    full.close().await;
}

async fn settle_everything(fixture: &StoreFixture) {
    let kept = sent(fixture.act(to_all()).await);
    let recalled = sent(fixture.act(to_all()).await);
    fixture.send("ann", &["bob"]).await;
    fixture.done(update(kept, "newer", None)).await;
    fixture.done(remove(&[recalled])).await;
    fixture.done(mark("bob", &[kept], true)).await;
    fixture.done(clear("ann", Msgbox::Inbox)).await;
    fixture.store.bulk(&app(), kept).await.expect("a report");
    let heads = MailboxKey {
        app_no: 1,
        mailbox_id: 1,
    };
    fixture.store.settle(&[heads]).await.expect("settled");
    fixture.store.statuses(&[heads]).await.expect("heads");
    fixture.clock().advance(40 * DAY_MS);
    fixture.done(settle("bob")).await;
    while fixture.store.expire_due().await.expect("a sweep") {}
}

async fn read_everything(fixture: &StoreFixture) {
    let last = fixture.send("ann", &["bob"]).await;
    fixture.counts("bob").await;
    // More than there are connections: some are read together.
    join_all((0..40).map(|_| fixture.counts("bob"))).await;
    fixture.messages(&[last]).await;
    fixture
        .entries("bob", Msgbox::Inbox, &[last], ALL_BYTES)
        .await;
    let (app, bob) = (app(), profile("bob"));
    let criteria = Criteria {
        sent_after: Some(Millis(1)),
        ..Criteria::default()
    };
    for sort in SORTS {
        for criteria in [Criteria::default(), criteria.clone()] {
            let scan = Scan {
                criteria,
                sort,
                count: true,
                ..everything()
            };
            fixture.page("bob", &scan).await;
            let page = fixture.store.repository_page(&app, &scan).await;
            page.expect("a page");
        }
    }
    let owner = fixture.store.counts(&app, &bob, Requester::Owner).await;
    owner.expect("counts");
    fixture.store.app_state(&app).await.expect("a state");
    let revoked = fixture.store.revoked_before(&app, &bob).await;
    assert_eq!(revoked.expect("a time"), None);
    let blocks = fixture.store.blocks(&app, &bob, Some(&bob), 10).await;
    blocks.expect("blocks");
    let all = fixture.store.participations(&app, &bob).await;
    let ids = all.expect("participations").into_iter();
    let ids: Vec<_> = ids.map(|it| it.conversation_id).collect();
    let found = fixture.store.conversations(&app, &bob, &ids).await;
    assert_eq!(found.expect("conversations").len(), 2);
    fixture.store.ready().await.expect("ready");
}

async fn follow_everything(fixture: &StoreFixture) {
    let (app, ann) = (app(), profile("ann"));
    let part = FeedLimits {
        only: None,
        changes_max: 1,
        bytes_max: ALL_BYTES,
    };
    let mut since = FeedStart::Beginning;
    loop {
        let feed = fixture.store.changes(&app, &ann, since, part).await;
        let feed = feed.expect("a feed");
        since = FeedStart::After(feed.reached);
        if !feed.more {
            let heads = fixture.store.statuses(&[feed.mailbox]).await;
            assert_eq!(heads.expect("heads").len(), 1);
            break;
        }
    }
    fixture.clock().advance(TOMBSTONE_MS + DAY_MS);
    fixture
        .store
        .trim_tombstones(None)
        .await
        .expect("it is trimmed");
    fixture.store.new_epoch().await.expect("a new epoch");
}
