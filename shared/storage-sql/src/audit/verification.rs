//! Verification of a chain of the audit log, in parts.

use domain::AppId;
use domain::audit::{AuditHead, AuditIds, AuditKey, AuditLink, Mac};
use storage::{AuditEntry, AuditFault, AuditPart, Error};

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::row::RowReader;
use crate::db::statement::Statement;
use crate::table::app::AppKey;
use crate::table::audit::{SealedRecord, audit_columns};
use crate::table::audit_head;

/// Number of records of a part.
const RECORDS: i64 = 200;
/// Number of apps that are listed at once.
const APPS: i64 = 1_000;

/// The first `$3` records behind a number, with their ids.
pub static PART: Statement = Statement::new(
    "audit.part",
    3,
    concat!(
        "SELECT ",
        audit_columns!(),
        ", a.audit_no, a.mac, (
             SELECT i.ids FROM audit_id i WHERE i.app_no = a.app_no AND i.record_id = a.record_id
         ) FROM audit a
         WHERE a.app_no = $1 AND a.audit_no > $2 AND a.audit_no > 0
         ORDER BY a.audit_no LIMIT $3"
    ),
);

/// A record as it is stored; its ids are not there or not readable if they are none.
struct StoredEntry {
    sealed: SealedRecord,
    link: AuditLink,
    ids: Option<AuditIds>,
}

/// Reads the next part of a chain behind `after`, and verifies it with a key, in one snapshot.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app: &AppKey,
    key: Option<&AuditKey>,
    after: Option<AuditLink>,
) -> Result<AuditPart, Error> {
    let read = BoundStatement::of(&audit_head::READ).bind(app.app_no);
    let chain = connection.fetch_one(read).await?;
    let chain = chain.map(|mut row| row.chain_row()).transpose()?;
    let anchor = chain
        .as_ref()
        .map_or(AuditLink::START, |chain| chain.head.anchor);
    // Records behind `after` may have been trimmed since it was read.
    let start = after
        .filter(|after| after.no >= anchor.no)
        .unwrap_or(anchor);
    let read = BoundStatement::of(&PART)
        .bind(app.app_no)
        .bind(start.no)
        .bind(RECORDS);
    let rows = connection.fetch(read).await?;
    let is_last = i64::try_from(rows.len()).is_ok_and(|rows| rows < RECORDS);
    let entries: Vec<StoredEntry> = rows.into_iter().map(stored).collect::<Result<_, _>>()?;
    let end = entries.last().map_or(start, |entry| entry.link);
    let mut faults = Vec::new();
    if let Some(key) = key {
        let verifier = Verifier {
            app: &app.app_id,
            key,
        };
        verifier.verify(start, &entries, &mut faults);
        let has_chain = chain.is_some() || end != AuditLink::START;
        let head = chain.map(|chain| (chain.head, chain.seal));
        if is_last && has_chain {
            verifier.verify_end(end, head, &mut faults);
        }
    }
    Ok(AuditPart {
        entries: entries.into_iter().map(StoredEntry::shown).collect(),
        faults,
        next: (!is_last).then_some(end),
    })
}

fn stored<DB: Backend>(mut row: RowReader<DB>) -> Result<StoredEntry, Error> {
    let sealed = row.sealed_record()?;
    let (no, mac): (i64, Mac) = (row.int()?, row.column("audit", "mac")?);
    let ids: Option<Vec<u8>> = row.column("audit_id", "ids")?;
    Ok(StoredEntry {
        sealed,
        link: AuditLink { no, mac },
        ids: ids.and_then(|ids| AuditIds::decode(&ids)),
    })
}

impl StoredEntry {
    fn shown(self) -> AuditEntry {
        AuditEntry {
            link: self.link,
            record: self.sealed.record,
            ids: self.ids.unwrap_or_default(),
        }
    }
}

/// Verifier of the chain of an app.
struct Verifier<'a> {
    app: &'a AppId,
    key: &'a AuditKey,
}

impl Verifier<'_> {
    /// Verifies records that follow a link. After a fault the next record is held against the one
    /// before it as it is stored.
    fn verify(&self, start: AuditLink, entries: &[StoredEntry], faults: &mut Vec<AuditFault>) {
        let mut previous = start;
        for StoredEntry { sealed, link, ids } in entries {
            if link.no != previous.no + 1 {
                faults.push(AuditFault::Missing(previous.no + 1));
            } else if self.key.link(self.app, previous, &sealed.seal) != *link {
                faults.push(AuditFault::Link(link.no));
            }
            if self.key.seal(self.app, &sealed.record) != sealed.seal {
                faults.push(AuditFault::Record(link.no));
            }
            let root = ids.as_ref().map(AuditIds::root);
            if root != Some(sealed.record.ids_root) {
                faults.push(AuditFault::Ids(link.no));
            }
            previous = *link;
        }
    }

    /// Verifies that a chain ends where its head says, and that the head is sealed.
    fn verify_end(
        &self,
        end: AuditLink,
        head: Option<(AuditHead, Mac)>,
        faults: &mut Vec<AuditFault>,
    ) {
        match head {
            Some((head, seal)) if self.key.seal_head(self.app, &head) == seal => {
                if head.last != end {
                    faults.push(AuditFault::End(head.last.no));
                }
            }
            Some(_) | None => faults.push(AuditFault::Head),
        }
    }
}

/// Returns the next apps that have a chain or records.
pub async fn apps<DB: Backend>(
    connection: &mut Connection<DB>,
    after: Option<AppId>,
) -> Result<Vec<AppId>, Error> {
    let read = BoundStatement::of(&audit_head::APPS)
        .bind(after.as_ref().map_or("", AppId::as_str))
        .bind(APPS);
    let rows = connection.fetch(read).await?;
    rows.into_iter().map(|mut row| row.app_id()).collect()
}
