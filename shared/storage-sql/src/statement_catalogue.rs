//! Tests of the list of all statements: their names are unique, and their rendered texts are in
//! golden files, one for each database.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use domain::page::Direction;
use sqlx::{Postgres, Sqlite};

use crate::audit::{page, verification};
use crate::db::backend::Backend;
use crate::db::epoch;
use crate::db::statement::Statement;
use crate::jobs::{app_erasures, audit_chains, erasures, send_jobs, usage_counts};
use crate::read::mailbox_page::statements as mailbox_page;
use crate::read::repository_page;
use crate::table::{
    app, app_usage, audit, audit_head, audit_id, block, bulk, conversation, erasure, mailbox,
    message, msgbox, msgbox_deleted, participant, request, revocation, send_job, tally,
};
use crate::upkeep::{erasure_list, kept_recount, naming_rows, orphans, recount, sweep, trim};
use crate::{broadcast, clock, read, segment, store};

fn tables() -> Vec<&'static Statement> {
    vec![
        &app::FIND,
        &app::CREATE,
        &app::READ,
        &app::LOCK,
        &app::WAIT,
        &app::READ_USAGE,
        app::UPDATE_SETTINGS.statement(),
        app::BEGIN_USAGE.statement(),
        app::UPDATE_BULK_HEAD.statement(),
        app::UPDATE_LAST_REVOCATION.statement(),
        app::UPDATE_ERASURE.statement(),
        &bulk::IS_ANY_BULK,
        &bulk::WHICH_ARE_BULK,
        &bulk::PENDING,
        &bulk::LIVE,
        bulk::INSERT.statement(),
        &conversation::LOCK,
        &conversation::EXISTING,
        &conversation::WAIT,
        &conversation::FIND,
        &conversation::FIND_DISTINCT,
        conversation::INSERT.statement(),
        conversation::UPDATE.statement(),
        conversation::DELETE.statement(),
        &participant::CLAIMED,
        participant::INSERT.statement(),
        participant::DELETE.statement(),
        &message::LOCK,
        &message::LOCK_EXPIRED,
        &message::EXISTING,
        &message::CLAIMED,
        &message::WAIT,
        &message::FIND,
        message::INSERT.statement(),
        message::UPDATE.statement(),
        message::DELETE.statement(),
        message::RECALL_ALL.statement(),
        message::EXPIRE.statement(),
        message::UPDATE_RECIPIENTS.statement(),
        &send_job::LOCK,
        &send_job::EXISTING,
        &send_job::WAIT,
        send_job::UPDATE.statement(),
        &msgbox::READ,
        &msgbox::READ_PARTS,
        &msgbox::READ_OLDEST,
        &msgbox::READ_EXPIRED,
        &msgbox::NEXT_EXPIRY,
        &msgbox::UNREAD_OF_SENDERS,
        msgbox::DELETE.statement(),
        msgbox::UPDATE.statement(),
        msgbox::INSERT.statement(),
        msgbox_deleted::INSERT.statement(),
        msgbox_deleted::TRIM.statement(),
        &mailbox::CREATE,
        &mailbox::LOCK,
        &mailbox::UNUSED_OF_SENDERS,
        &mailbox::EXISTING,
        &mailbox::WAIT,
        mailbox::UPDATE.statement(),
        &block::READ,
        block::INSERT.statement(),
        block::DELETE.statement(),
        mailbox::DELETE.statement(),
        tally::ADD.statement(),
        app_usage::ADD.statement(),
        revocation::ADD.statement(),
        erasure::ADD.statement(),
        &erasure::READ,
        &erasure::ADVANCE,
        &erasure::DELETE,
        &request::READ,
        request::DELETE.statement(),
        request::INSERT.statement(),
        audit::INSERT.statement(),
        audit::NUMBER.statement(),
        audit::DELETE.statement(),
        &audit::UNNUMBERED,
        &audit::OLDEST,
        audit_id::INSERT.statement(),
        audit_id::UPDATE.statement(),
        audit_id::DELETE.statement(),
        &audit_id::READ,
        &audit_id::LOCK_NEXT,
        &audit_head::READ,
        &audit_head::LOCK,
        audit_head::CREATE.statement(),
        audit_head::UPDATE.statement(),
        &audit_head::APPS,
        &audit_head::KEYS,
    ]
}

fn reads() -> Vec<&'static Statement> {
    let mut reads = vec![
        &read::counts::ONE,
        &read::counts::MANY,
        &read::statuses::STATUSES,
        &read::statuses::OWNERS,
        &read::entries::ENTRIES,
        &read::messages::MESSAGES,
        &read::changes::CHANGES,
        &read::bulk::BULK,
        &read::job::JOB,
        &read::app_state::APP_STATE,
        &read::revocation::REVOKED_BEFORE,
        &read::blocks::BLOCKS,
        &read::conversations::PARTICIPATIONS,
        &read::conversations::SHOWN,
        &read::erasure::REPORT,
        mailbox_page::one_box(Direction::Descending),
        mailbox_page::one_box(Direction::Ascending),
        &mailbox_page::COUNT,
        &repository_page::NEWEST_FIRST,
        &repository_page::OLDEST_FIRST,
        &repository_page::LAST_CHANGED_FIRST,
        &repository_page::FIRST_CHANGED_FIRST,
        &repository_page::COUNT,
    ];
    reads.extend(mailbox_page::ALL.each());
    reads.extend(mailbox_page::MATCHING.each());
    reads
}

fn others() -> Vec<&'static Statement> {
    vec![
        &epoch::LOOK,
        &epoch::EPOCH,
        &epoch::ADOPT,
        &epoch::REPLACE,
        &epoch::BEGIN,
        &clock::READ,
        &clock::STORE,
        &store::readiness::PING,
        &broadcast::publisher::NOTIFY,
        &segment::chunks::READ,
        &segment::chunks::WRITE,
        &segment::chunks::FORGET,
        &segment::recipient_sort::BEGIN,
        &segment::recipient_sort::SEAL,
        &segment::recipient_sort::FORGET,
        &send_jobs::DUE,
        &send_jobs::JOB,
        &audit_chains::DUE,
        &usage_counts::DUE,
        &usage_counts::COMPLETE,
        &app_erasures::DUE,
        &app_erasures::ADVANCE,
        &app_erasures::DELETE,
        &erasures::DUE,
        &erasures::DELETE_REVOCATION,
        &erasures::CHANGES,
        &erasures::blocks::NEXT,
        &erasures::parties::NEXT,
        &erasures::segments::NEXT,
        &erasures::segments::UPDATE,
        &page::LATEST,
        &verification::PART,
        &erasure_list::LIST,
        &naming_rows::MAILBOX,
        &naming_rows::BLOCK,
        &naming_rows::REVOCATION,
        &naming_rows::SEND_CHUNK,
        &naming_rows::MESSAGE,
        &naming_rows::AUDIT_ID,
        &recount::RECOUNT,
        &recount::RECOUNT_ONE,
        &recount::LOCK,
        &recount::REPAIR,
        &kept_recount::NEXT_APP,
        &kept_recount::MESSAGES,
        &kept_recount::MAILBOXES,
        &kept_recount::REPAIR,
        &trim::OLD,
        &orphans::SINCE,
        &orphans::LISTED,
        &orphans::HELD,
        &orphans::PROGRESS,
        &orphans::NOTE,
        &sweep::TAKE,
        &sweep::DUE,
        &sweep::EXPIRED,
        &sweep::DELETE_TALLIES,
        &sweep::DELETE_BULK,
        &sweep::DELETE_CHUNKS,
        &sweep::DELETE_JOBS,
        &sweep::DELETE_REQUESTS,
        &sweep::DELETE_REVOCATIONS,
    ]
}

/// All statements, by name.
fn all() -> Vec<&'static Statement> {
    let mut all = [tables(), reads(), others()].concat();
    all.extend(&app_erasures::DELETIONS);
    all.sort_by_key(|statement| statement.name());
    all
}

/// The texts for one database, without the indentation of their lines.
fn texts<DB: Backend>() -> String {
    let mut texts = String::new();
    for statement in all() {
        let _ = writeln!(texts, "-- {}", statement.name());
        for line in statement.text(&DB::DIALECT).lines() {
            let _ = writeln!(texts, "{}", line.trim());
        }
    }
    texts
}

/// The names in the source: of each call that makes a statement, the first argument.
fn names_in_source(folder: &Path, names: &mut Vec<String>) {
    for file in folder.read_dir().expect("a folder") {
        let path = file.expect("a file").path();
        if path.is_dir() {
            names_in_source(&path, names);
            continue;
        }
        let source = std::fs::read_to_string(&path).expect("a source file");
        for maker in [
            "new",
            "with_rows",
            "insert",
            "insert_in_order",
            "update",
            "delete",
            "text",
        ] {
            for call in source.split(&format!("Statement::{maker}(")).skip(1) {
                if let Some(quoted) = call.trim_start().strip_prefix('"') {
                    names.extend(quoted.split('"').next().map(str::to_owned));
                }
            }
        }
    }
}

#[test]
fn the_name_of_a_statement_is_its_table_and_a_unique_action() {
    let mut in_source = Vec::new();
    names_in_source(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut in_source,
    );
    let listed: Vec<String> = all().iter().map(|it| it.name().to_owned()).collect();
    in_source.sort();
    assert_eq!(listed, in_source, "the list above has every statement once");
    let unique: BTreeSet<&String> = listed.iter().collect();
    assert_eq!(unique.len(), listed.len(), "{listed:?}");
    for name in &listed {
        let words: Vec<&str> = name.split('.').collect();
        assert!(
            words.len() == 2 && words.iter().all(|it| !it.is_empty()),
            "{name}"
        );
    }
}

/// `SQLite` seeks by the first lower bound, and compares the others row by row.
#[test]
fn the_condition_of_the_index_by_seq_follows_the_bounds_of_seq() {
    for text in [texts::<Postgres>(), texts::<Sqlite>()] {
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = words.join(" ");
        assert!(text.contains("seq > $3 AND seq > 0"));
        assert!(!text.contains("seq > 0 AND seq"));
    }
}

#[test]
fn rendered_statements_equal_the_golden_files() {
    insta::assert_snapshot!("postgres", texts::<Postgres>());
    insta::assert_snapshot!("sqlite", texts::<Sqlite>());
}
