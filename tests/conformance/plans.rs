//! How the databases go about the statements: no statement of a call goes through a table.
//!
//! The statements are those that sqlx says that it runs, in a process of its own.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use domain::limits::{DAY_MS, TOMBSTONE_MS};
use domain::page::{Criteria, Scan};
use domain::{Millis, Msgbox, Settings};
use futures::future::join_all;
use serde_json::Value;
use storage::{FeedPart, MailboxKey, Reader, Since};
use support::on_each_database;

use super::alone;
use super::bench::{ALL_BYTES, Bench};
use super::turning::{SORTS, everything};
use super::words::{
    app, clear, configure, delete, edit, mark, open, profile, recall, remove, remove_one,
    repeatable, send, sent, settle, to_all, update,
};

on_each_database![no_statement_goes_through_a_table,];

const TEST: &str = "no_statement_goes_through_a_table";

/// Set in the process that listens.
const LISTENING: &str = "POSTROOM_TEST_LISTENS_TO_STATEMENTS";

/// What grows with the service. `app` and `server` are small, and looked at by other keys.
const TABLES: [&str; 7] = [
    "mailbox",
    "message",
    "msgbox",
    "msgbox_deleted",
    "request",
    "bulk",
    "bulk_tally",
];

/// Statements that a run has at least, so that it is known to have listened.
const STATEMENTS_MIN: usize = 30;

/// What sqlx said that it ran.
static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Listener;

impl io::Write for Listener {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn no_statement_goes_through_a_table(bench: &Bench) {
    if std::env::var_os(LISTENING).is_none() {
        return alone::run(module_path!(), TEST, bench.test.backend(), LISTENING);
    }
    tracing_subscriber::fmt()
        .json()
        .with_env_filter("sqlx::query=debug")
        .with_writer(|| Listener)
        .init();
    write_everything(bench).await;
    settle_everything(bench).await;
    read_everything(bench).await;
    follow_everything(bench).await;

    let statements = statements();
    assert!(statements.len() >= STATEMENTS_MIN, "{statements:#?}");
    let raw = bench.raw().await;
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
        !line.starts_with("SEARCH a ") && !line.starts_with("SEARCH app ")
    };
    scans || whole_app || line.contains("AUTOMATIC")
}

/// Whether `PostgreSQL` reads an index from one end to the other. What it seeks in an index
/// stands below it, before the next step.
fn is_index_gone_through(line: &str, below: &[String]) -> bool {
    let is_index = line.contains("Index Scan") || line.contains("Index Only Scan");
    let is_bitmap = line.contains("Bitmap Index Scan");
    let mut details = below.iter().take_while(|line| !line.contains("->"));
    let is_sought = details.any(|line| line.trim().starts_with("Index Cond: "));
    (is_bitmap || is_index && is_large(line, "on")) && !is_sought
}

/// Whether the word after that one is the name of a table that grows.
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

async fn write_everything(bench: &Bench) {
    let first = bench.send("ann", &["ann", "bob"]).await;
    let second = bench.announce(&["ann", "bob"]).await;
    let third = bench.send("bob", &["ann", "cid"]).await;
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
        configure(Settings::default()),
    ] {
        bench.done(action).await;
    }
    for _ in 0..2 {
        let again = repeatable("once", 1, send("ann", &["bob"]));
        bench.execute(&app(), again).await.expect("a message");
    }
    let full = bench
        .store_with(domain::Policy {
            max_box_messages: 1,
            ..domain::Policy::default()
        })
        .await;
    for _ in 0..2 {
        let letter = super::words::operation(send("eve", &["dora"]));
        // The second one finds the inbox full; the box of the sender drops its oldest.
        let _ = full.run(&app(), letter).await;
    }
    full.close().await;
}

async fn settle_everything(bench: &Bench) {
    let kept = sent(bench.act(to_all()).await);
    let recalled = sent(bench.act(to_all()).await);
    bench.send("ann", &["bob"]).await;
    bench.done(update(kept, "newer", None)).await;
    bench.done(remove(&[recalled])).await;
    bench.done(mark("bob", &[kept], true)).await;
    bench.done(clear("ann", Msgbox::Inbox)).await;
    bench.store.bulk(&app(), kept).await.expect("a report");
    let heads = MailboxKey {
        app_no: 1,
        mailbox_id: 1,
    };
    bench.store.settle(&[heads]).await.expect("settled");
    bench.store.heads(&[heads]).await.expect("heads");
    bench.clock().advance(40 * DAY_MS);
    bench.done(settle("bob")).await;
    while bench.store.sweep().await.expect("a sweep") {}
}

async fn read_everything(bench: &Bench) {
    let last = bench.send("ann", &["bob"]).await;
    bench.counts("bob").await;
    // More than there are connections: some are read together.
    join_all((0..40).map(|_| bench.counts("bob"))).await;
    bench.messages(&[last]).await;
    bench
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
            bench.page("bob", &scan).await;
            let page = bench.store.repository_page(&app, &scan).await;
            page.expect("a page");
        }
    }
    let owner = bench.store.counts(&app, &bob, Reader::Owner).await;
    owner.expect("counts");
    bench.store.settings(&app).await.expect("settings");
    bench.store.ready().await.expect("ready");
}

async fn follow_everything(bench: &Bench) {
    let (app, ann) = (app(), profile("ann"));
    let part = FeedPart {
        changes_max: 1,
        bytes_max: ALL_BYTES,
    };
    let mut since = Since::Beginning;
    loop {
        let feed = bench.store.changes(&app, &ann, since, part).await;
        let feed = feed.expect("a feed");
        since = Since::After(feed.reached);
        if !feed.more {
            let heads = bench.store.heads(&[feed.mailbox]).await;
            assert_eq!(heads.expect("heads").len(), 1);
            break;
        }
    }
    bench.clock().advance(TOMBSTONE_MS + DAY_MS);
    bench.store.trim(None).await.expect("it is trimmed");
    bench.store.new_epoch().await.expect("a new epoch");
}
