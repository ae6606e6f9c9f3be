//! States of a database and of the planner's statistics about it.

use std::iter;

/// Expiry of all rows, in milliseconds since the epoch.
pub const EXPIRE_MS: i64 = 2_000_000_000_000;
/// Number of the first message in the large box; the rest follow.
pub const FIRST_MESSAGE: u128 = 2_000_000;

/// Change of a database or of its statistics.
#[derive(Clone, Copy)]
enum StateStep {
    /// Many apps come, with a row in each table.
    Apps,
    /// Many mailboxes of the first app get one message each, all the same.
    SmallBoxesOfOneMessage,
    /// Many mailboxes of the first app get a message each of their own.
    SmallBoxes,
    /// Mailbox `b` gets 10,000 messages; the other tables grow too.
    LargeBox,
    /// Mailbox `b` gets the same messages into its other box.
    SameInSent,
    /// Nearly all rows of the first app are deleted.
    MassDeletion,
    Analyze,
}

use StateStep::{
    Analyze, Apps, LargeBox, MassDeletion, SameInSent, SmallBoxes, SmallBoxesOfOneMessage,
};

/// A state, by the steps to it.
#[derive(Clone, Copy)]
pub struct State(&'static [StateStep]);

pub const WITHOUT_STATISTICS: State = State(&[Apps, SmallBoxesOfOneMessage, LargeBox]);
pub const ANALYZED_WHEN_EMPTY: State = State(&[Analyze, Apps, SmallBoxesOfOneMessage, LargeBox]);
pub const ONE_BOX: State = State(&[LargeBox, Analyze]);
pub const ONE_BOX_AND_THE_SAME_IN_SENT: State = State(&[LargeBox, SameInSent, Analyze]);
pub const ONE_AMONG_MANY: State = State(&[Apps, SmallBoxes, LargeBox, Analyze]);
pub const ONE_AMONG_MANY_OF_ONE_MESSAGE: State =
    State(&[Apps, SmallBoxesOfOneMessage, LargeBox, Analyze]);
pub const GROWN_SINCE_ANALYZED: State = State(&[Apps, SmallBoxesOfOneMessage, Analyze, LargeBox]);
pub const DELETED_SINCE_ANALYZED: State = State(&[
    Apps,
    SmallBoxesOfOneMessage,
    LargeBox,
    Analyze,
    MassDeletion,
]);
pub const ANALYZED_AFTER_DELETION: State = State(&[
    Apps,
    SmallBoxesOfOneMessage,
    LargeBox,
    MassDeletion,
    Analyze,
]);

impl State {
    /// The SQL that brings an empty database into the state.
    pub fn sql(self) -> String {
        iter::once(START.to_owned())
            .chain(self.0.iter().map(|step| step.sql()))
            .collect::<Vec<_>>()
            .join(";\n")
    }
}

/// The first app and its mailbox, with the number 1; statistics only when told.
const START: &str = "
    DO $$ DECLARE t record; BEGIN
        FOR t IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
            EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off)', t.tablename);
        END LOOP;
    END $$;
    INSERT INTO app (app_id, create_ms) VALUES ('app', 1);
    INSERT INTO mailbox (app_no, profile_id, create_ms) VALUES (1, 'b', 1)";

const SMALL_BOXES: &str = "mailbox WHERE app_no = 1 AND profile_id LIKE 's%'";

impl StateStep {
    fn sql(self) -> String {
        match self {
            Self::Analyze => "ANALYZE".to_owned(),
            Self::Apps => apps(),
            Self::SmallBoxesOfOneMessage => small_boxes("1", "app WHERE app_no = 1"),
            Self::SmallBoxes => small_boxes("mailbox_id", SMALL_BOXES),
            Self::LargeBox => large_box(),
            Self::SameInSent => {
                entries("1", "1", "1", "2000000 + g", "10000 + g", &numbers(10_000))
            }
            Self::MassDeletion => DELETION.to_owned(),
        }
    }
}

/// Small tables have rows of other apps only, so that a row of the first app is rare in them.
fn apps() -> String {
    let each = "app WHERE app_no > 1";
    let boxes = "mailbox WHERE app_no > 1";
    [
        format!("INSERT INTO app (app_id, create_ms) SELECT 'app' || g, 1 FROM {}", numbers(300)),
        format!("INSERT INTO mailbox (app_no, profile_id, create_ms) SELECT app_no, 'one', 1 FROM {each}"),
        messages("app_no", "5000000 + app_no", each),
        entries("app_no", "mailbox_id", "0", "5000000 + app_no", "1", boxes),
        others("app_no", "app_no", "mailbox_id", boxes),
    ]
    .join(";\n")
}

/// Small mailboxes with an entry each, of the messages with that number for each row of `from`.
fn small_boxes(number: &str, from: &str) -> String {
    let thousand = numbers(1_000);
    [
        format!(
            "INSERT INTO mailbox (app_no, profile_id, create_ms) SELECT 1, 's' || g, 1 FROM {thousand}"
        ),
        messages("1", number, from),
        entries("1", "mailbox_id", "0", number, "1", SMALL_BOXES),
    ]
    .join(";\n")
}

fn large_box() -> String {
    let (large, small) = (numbers(10_000), numbers(2_000));
    [
        messages("1", "2000000 + g", &large),
        entries("1", "1", "0", "2000000 + g", "g", &large),
        others("1", "2000000 + g", "1", &small),
        format!(
            "INSERT INTO mailbox (app_no, profile_id, create_ms) SELECT 1, 'z' || g, 1 FROM {small}"
        ),
    ]
    .join(";\n")
}

fn messages(app: &str, number: &str, from: &str) -> String {
    let id = id(number);
    format!(
        "INSERT INTO message (app_no, message_id, version, send_ms, update_ms, expire_ms,
             size_bytes, kind, content_kind, modified, sender_name, sender_pic, recipients,
             digest, content)
         SELECT {app}, {id}, 1, 1, 1, {EXPIRE_MS}, 2, 0, 0, 0, '', '', '', '', '' FROM {from}"
    )
}

fn entries(app: &str, mailbox: &str, msgbox: &str, number: &str, seq: &str, from: &str) -> String {
    let id = id(number);
    format!(
        "INSERT INTO msgbox (app_no, mailbox_id, box, message_id, seq, create_seq, create_ms,
             update_ms, version, content_version, expire_ms)
         SELECT {app}, {mailbox}, {msgbox}, {id}, {seq}, 1, 1, 1, 1, 1, {EXPIRE_MS} FROM {from}"
    )
}

/// Rows of the tables beside messages and mailboxes.
fn others(app: &str, number: &str, mailbox: &str, from: &str) -> String {
    let id = id(number);
    [
        format!(
            "INSERT INTO bulk (app_no, bulk_no, message_id, expire_ms, what, audience)
             SELECT {app}, {number}, {id}, {EXPIRE_MS}, 0, 0 FROM {from}"
        ),
        format!(
            "INSERT INTO bulk_tally (app_no, message_id, slot, settled, read, deleted)
             SELECT {app}, {id}, 0, 1, 0, 0 FROM {from}"
        ),
        format!(
            "INSERT INTO send_job (app_no, job_id, expire_ms)
             SELECT {app}, {id}, {EXPIRE_MS} FROM {from}"
        ),
        format!(
            "INSERT INTO send_chunk (app_no, job_id, run_no, chunk_no, recipients)
             SELECT {app}, {id}, 1, 1, '' FROM {from}"
        ),
        format!(
            "INSERT INTO request (app_no, request_key, fingerprint, expire_ms)
             SELECT {app}, uuid_send({id}), '', {EXPIRE_MS} FROM {from}"
        ),
        format!(
            "INSERT INTO msgbox_deleted (app_no, mailbox_id, seq, message_id, delete_ms, box)
             SELECT {app}, {mailbox}, {number}, {id}, 1, 0 FROM {from}"
        ),
        format!(
            "INSERT INTO block (app_no, mailbox_id, profile_id, create_ms)
             SELECT {app}, {mailbox}, 'k' || {number}, 1 FROM {from}"
        ),
        format!(
            "INSERT INTO conversation (app_no, conversation_id, version, create_ms, update_ms,
                 participants, metadata, create_fingerprint, distinct_key)
             SELECT {app}, {id}, 1, 1, 1, '', '{{}}', '', uuid_send({id}) FROM {from}"
        ),
        format!(
            "INSERT INTO participant (app_no, mailbox_id, conversation_id, create_ms)
             SELECT {app}, {mailbox}, {id}, 1 FROM {from}"
        ),
        format!(
            "INSERT INTO revocation (app_no, profile_id, before_ms)
             SELECT {app}, 'r' || {number}, {EXPIRE_MS} FROM {from}"
        ),
        format!(
            "INSERT INTO erasure (app_no, profile_key, request_ms, step_ms, next_ms, phase)
             SELECT {app}, {id}, 1, 1, {EXPIRE_MS}, 8 FROM {from}"
        ),
        format!(
            "INSERT INTO app_usage (app_no, slot, bytes, mailboxes)
             SELECT DISTINCT {app}, 0, 1, 1 FROM {from} ON CONFLICT DO NOTHING"
        ),
        format!(
            "INSERT INTO audit (app_no, record_id, call_id, audit_no, time_ms, affected, id_count,
                 kind, method, issuer, request_hash, ids_root, seal, mac)
             SELECT {app}, {id}, {id}, {number}, 1, 1, 1, 1, '', '', '', '', '', '' FROM {from}"
        ),
        format!("INSERT INTO audit_id (app_no, record_id, ids) SELECT {app}, {id}, '' FROM {from}"),
        format!(
            "INSERT INTO audit_head (app_no, last_no, anchor_no, told_no, told_ms, step_ms,
                 last_mac, anchor_mac, seal)
             SELECT DISTINCT {app}, 1, 0, 0, 0, 1, '' :: bytea, '' :: bytea, '' :: bytea
             FROM {from} ON CONFLICT DO NOTHING"
        ),
    ]
    .join(";\n")
}

const DELETION: &str = "
    DELETE FROM msgbox WHERE app_no = 1 AND seq % 500 <> 1;
    DELETE FROM message WHERE app_no = 1 AND get_byte(uuid_send(message_id), 15) <> 1;
    DELETE FROM mailbox WHERE profile_id LIKE 'z%';
    DELETE FROM bulk WHERE app_no = 1 AND bulk_no % 500 <> 1;
    DELETE FROM bulk_tally WHERE app_no = 1;
    DELETE FROM send_job WHERE app_no = 1;
    DELETE FROM request WHERE app_no = 1;
    DELETE FROM block WHERE app_no = 1;
    DELETE FROM conversation WHERE app_no = 1;
    DELETE FROM participant WHERE app_no = 1;
    DELETE FROM revocation WHERE app_no = 1;
    DELETE FROM erasure WHERE app_no = 1;
    DELETE FROM msgbox_deleted WHERE app_no = 1;
    DELETE FROM audit WHERE app_no = 1;
    DELETE FROM audit_id WHERE app_no = 1";

fn numbers(count: u32) -> String {
    format!("generate_series(1, {count}) g")
}

/// An id of a number.
fn id(number: &str) -> String {
    format!("CAST(lpad(to_hex({number}), 32, '0') AS uuid)")
}
