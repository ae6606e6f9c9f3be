//! Verification of a chain of the audit log, in parts.

use domain::audit::{AuditHead, AuditIds, AuditKey, AuditKeyId, AuditLink, Mac};
use domain::limits::AUDIT_KEY_OVERLAP_MS;
use domain::{AppId, Millis};
use storage::{AuditEntry, AuditFault, AuditPart, AuditPlace, Error, KeyUse};

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

/// Reads the next part of a chain behind `after`, and verifies it with the keys, in one snapshot.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app: &AppKey,
    keys: &[AuditKey],
    after: Option<AuditPlace>,
) -> Result<AuditPart, Error> {
    let read = BoundStatement::of(&audit_head::READ).bind(app.app_no);
    let chain = connection.fetch_one(read).await?;
    let chain = chain.map(|mut row| row.chain_row()).transpose()?;
    let anchor = chain
        .as_ref()
        .map_or(AuditLink::START, |chain| chain.head.anchor);
    // Records behind `after` may have been trimmed since it was read.
    let start = after
        .map(|after| after.link)
        .filter(|link| link.no >= anchor.no)
        .unwrap_or(anchor);
    let read = BoundStatement::of(&PART)
        .bind(app.app_no)
        .bind(start.no)
        .bind(RECORDS);
    let rows = connection.fetch(read).await?;
    let is_last = i64::try_from(rows.len()).is_ok_and(|rows| rows < RECORDS);
    let entries: Vec<StoredEntry> = rows.into_iter().map(stored).collect::<Result<_, _>>()?;
    let end = entries.last().map_or(start, |entry| entry.link);
    let mut verifier = Verifier {
        app: &app.app_id,
        keys,
        newest_key: after.and_then(|after| after.newest_key),
        faults: Vec::new(),
    };
    if let Some(current) = keys.first() {
        verifier.verify(start, &entries);
        let has_chain = chain.is_some() || end != AuditLink::START;
        let head = chain.map(|chain| (chain.head, chain.seal));
        if is_last && has_chain {
            verifier.verify_end(current, end, head);
        }
    }
    let next = AuditPlace {
        link: end,
        newest_key: verifier.newest_key,
    };
    Ok(AuditPart {
        entries: entries.into_iter().map(StoredEntry::shown).collect(),
        faults: verifier.faults,
        next: (!is_last).then_some(next),
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

/// Verifier of the chain of an app. The first of the keys is the current one.
struct Verifier<'a> {
    app: &'a AppId,
    keys: &'a [AuditKey],
    newest_key: Option<KeyUse>,
    faults: Vec<AuditFault>,
}

impl Verifier<'_> {
    /// Verifies records that follow a link. After a fault the next record is held against the one
    /// before it as it is stored.
    fn verify(&mut self, start: AuditLink, entries: &[StoredEntry]) {
        let mut previous = start;
        for StoredEntry { sealed, link, ids } in entries {
            let is_link = |key: &AuditKey| key.link(self.app, previous, &sealed.seal) == *link;
            if link.no != previous.no + 1 {
                self.faults.push(AuditFault::Missing(previous.no + 1));
            } else if !self.keys.iter().any(is_link) {
                self.faults.push(AuditFault::Link(link.no));
            }
            let is_sealer = |key: &AuditKey| key.seal(self.app, &sealed.record) == sealed.seal;
            match self.keys.iter().position(is_sealer) {
                None => self.faults.push(AuditFault::Record(link.no)),
                Some(key) if self.is_replaced(key, sealed.record.time) => {
                    self.faults.push(AuditFault::Replaced(link.no));
                }
                Some(_) => {}
            }
            let root = ids.as_ref().map(AuditIds::root);
            if root != Some(sealed.record.ids_root) {
                self.faults.push(AuditFault::Ids(link.no));
            }
            previous = *link;
        }
    }

    /// Takes note of a record that a key has sealed. Returns whether a newer key had replaced it.
    fn is_replaced(&mut self, key: usize, time: Millis) -> bool {
        match &mut self.newest_key {
            Some(newest) if newest.key < key => {
                newest.latest > newest.first.after(AUDIT_KEY_OVERLAP_MS)
            }
            Some(newest) if newest.key == key => {
                newest.latest = newest.latest.max(time);
                false
            }
            newest => {
                *newest = Some(KeyUse {
                    key,
                    first: time,
                    latest: time,
                });
                false
            }
        }
    }

    /// Verifies that a chain ends where its head says, and that the current key has sealed the head.
    fn verify_end(&mut self, current: &AuditKey, end: AuditLink, head: Option<(AuditHead, Mac)>) {
        match head {
            Some((head, seal)) if current.seal_head(self.app, &head) == seal => {
                if head.last != end {
                    self.faults.push(AuditFault::End(head.last.no));
                }
            }
            Some(_) | None => self.faults.push(AuditFault::Head),
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

/// Returns the ids of the keys that have sealed heads.
pub async fn head_keys<DB: Backend>(
    connection: &mut Connection<DB>,
) -> Result<Vec<AuditKeyId>, Error> {
    let rows = connection
        .fetch(BoundStatement::of(&audit_head::KEYS))
        .await?;
    let keys = rows.into_iter();
    keys.map(|mut row| row.column("audit_head", "key_id"))
        .collect()
}
