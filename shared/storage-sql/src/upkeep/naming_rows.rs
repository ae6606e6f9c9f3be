//! Rows that name profiles, of all tables that can. A list of erasures has hashes of the ids only: the
//! ids themselves are found by these rows.

use domain::ProfileId;
use domain::audit::{AuditId, AuditIds};
use storage::{Error, NamingPlace};

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::column::parse_recipients;
use crate::db::connection::Connection;
use crate::db::error::corrupt;
use crate::db::row::RowReader;
use crate::db::statement::Statement;

/// A table whose rows name profiles.
#[derive(Debug, Clone, Copy)]
enum NamingTable {
    Mailbox,
    Block,
    Revocation,
    SendChunk,
    Message,
    AuditId,
}

/// The tables, in the order in which they are read.
const TABLES: [NamingTable; 6] = [
    NamingTable::Mailbox,
    NamingTable::Block,
    NamingTable::Revocation,
    NamingTable::SendChunk,
    NamingTable::Message,
    NamingTable::AuditId,
];

pub static MAILBOX: Statement = Statement::new(
    "mailbox.names",
    3,
    "SELECT b.mailbox_id, b.profile_id FROM mailbox b
     WHERE b.app_no = $1 AND b.mailbox_id > $3 ORDER BY b.mailbox_id LIMIT $2",
);

pub static BLOCK: Statement = Statement::new(
    "block.names",
    4,
    "SELECT k.mailbox_id, k.profile_id FROM block k
     WHERE k.app_no = $1 AND (k.mailbox_id, k.profile_id) > ($3, $4)
     ORDER BY k.mailbox_id, k.profile_id LIMIT $2",
);

pub static REVOCATION: Statement = Statement::new(
    "revocation.names",
    3,
    "SELECT v.profile_id FROM revocation v
     WHERE v.app_no = $1 AND v.profile_id > $3 ORDER BY v.profile_id LIMIT $2",
);

pub static SEND_CHUNK: Statement = Statement::new(
    "send_chunk.names",
    5,
    "SELECT c.job_id, c.run_no, c.chunk_no, c.recipients FROM send_chunk c
     WHERE c.app_no = $1 AND (c.job_id, c.run_no, c.chunk_no) > ($3, $4, $5)
     ORDER BY c.job_id, c.run_no, c.chunk_no LIMIT $2",
);

pub static MESSAGE: Statement = Statement::new(
    "message.names",
    3,
    "SELECT m.message_id, m.sender_profile_id, m.recipients FROM message m
     WHERE m.app_no = $1 AND m.message_id > $3 ORDER BY m.message_id LIMIT $2",
);

pub static AUDIT_ID: Statement = Statement::new(
    "audit_id.names",
    3,
    "SELECT i.record_id, i.ids FROM audit_id i
     WHERE i.app_no = $1 AND i.record_id > $3 ORDER BY i.record_id LIMIT $2",
);

/// Rows of a table, and the profiles that they name.
pub struct NamingRows {
    /// Number of rows.
    pub rows: u64,
    /// The profiles, some perhaps several times.
    pub profiles: Vec<ProfileId>,
    /// Place at which the next rows start. None after the last ones.
    pub next: Option<NamingPlace>,
}

/// Reads the next rows of an app from a place on.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    place: NamingPlace,
) -> Result<NamingRows, Error> {
    let mut found = NamingRows {
        rows: 0,
        profiles: Vec::new(),
        next: None,
    };
    let Some(table) = TABLES.get(place.table) else {
        return Ok(found);
    };
    let next_table = NamingPlace {
        table: place.table + 1,
        ..NamingPlace::default()
    };
    let mut last = place;
    for mut row in connection.fetch(table.next_rows(app_no, &last)).await? {
        found.rows += 1;
        table.read(&mut row, &mut last, &mut found.profiles)?;
    }
    let is_full = i64::try_from(found.rows).is_ok_and(|rows| rows == table.rows_max());
    found.next = if is_full {
        Some(last)
    } else {
        Some(next_table).filter(|next| next.table < TABLES.len())
    };
    Ok(found)
}

impl NamingTable {
    /// Number of rows that are read at once: a few MiB at the most.
    const fn rows_max(self) -> i64 {
        match self {
            Self::Mailbox | Self::Block | Self::Revocation => 500,
            Self::Message | Self::AuditId => 100,
            Self::SendChunk => 20,
        }
    }

    fn next_rows(self, app_no: i64, place: &NamingPlace) -> BoundStatement {
        let [first, second] = place.numbers;
        let of = |statement| {
            BoundStatement::of(statement)
                .bind(app_no)
                .bind(self.rows_max())
        };
        match self {
            Self::Mailbox => of(&MAILBOX).bind(first),
            Self::Block => of(&BLOCK).bind(first).bind(place.profile.as_str()),
            Self::Revocation => of(&REVOCATION).bind(place.profile.as_str()),
            Self::SendChunk => of(&SEND_CHUNK).bind(place.id).bind(first).bind(second),
            Self::Message => of(&MESSAGE).bind(place.id),
            Self::AuditId => of(&AUDIT_ID).bind(place.id),
        }
    }

    /// Reads a row: its key, and the profiles that it names.
    fn read<DB: Backend>(
        self,
        row: &mut RowReader<DB>,
        place: &mut NamingPlace,
        profiles: &mut Vec<ProfileId>,
    ) -> Result<(), Error> {
        match self {
            Self::Mailbox => {
                place.numbers[0] = row.int()?;
                profiles.push(row.profile_id("mailbox")?);
            }
            Self::Block => {
                place.numbers[0] = row.int()?;
                let profile = row.profile_id("block")?;
                profile.as_str().clone_into(&mut place.profile);
                profiles.push(profile);
            }
            Self::Revocation => {
                let profile = row.profile_id("revocation")?;
                profile.as_str().clone_into(&mut place.profile);
                profiles.push(profile);
            }
            Self::SendChunk => {
                place.id = row.uuid()?;
                place.numbers = [row.int()?, row.int()?];
                profiles.extend(recipients(row, "send_chunk")?);
            }
            Self::Message => {
                place.id = row.uuid()?;
                let sender: Option<ProfileId> = row.column("message", "sender_profile_id")?;
                profiles.extend(sender);
                profiles.extend(recipients(row, "message")?);
            }
            Self::AuditId => {
                place.id = row.uuid()?;
                let ids: Vec<u8> = row.column("audit_id", "ids")?;
                let ids = AuditIds::decode(&ids);
                let ids = ids.ok_or_else(|| corrupt("audit_id", "ids", &place.id))?;
                profiles.extend(ids.kept().filter_map(named));
            }
        }
        Ok(())
    }
}

/// Reads a column of recipients.
fn recipients<DB: Backend>(
    row: &mut RowReader<DB>,
    table: &'static str,
) -> Result<Vec<ProfileId>, Error> {
    let recipients = parse_recipients(&row.text()?);
    recipients.ok_or_else(|| row.corrupt(table, "recipients"))
}

/// The profile that an id of the audit log names. A subject may be one.
fn named(id: &AuditId) -> Option<ProfileId> {
    match id {
        AuditId::Profile(profile) => Some(profile.clone()),
        AuditId::Subject(subject) => ProfileId::parse(subject).ok(),
        AuditId::Message(_) | AuditId::Job(_) => None,
    }
}
