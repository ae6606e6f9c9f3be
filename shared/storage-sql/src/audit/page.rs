//! Pages of the audit log, by keyset pagination over the times of records, the latest first.

use std::collections::HashMap;

use domain::Millis;
use domain::audit::{AuditId, AuditIds, AuditLink, Mac};
use domain::limits::{AUDIT_RECORDS_EXAMINED_MAX, PAGE_BYTES_MAX};
use domain::number::saturating;
use storage::{AuditEntry, AuditFilter, AuditPage, AuditPosition, Error};
use uuid::Uuid;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::error::corrupt;
use crate::db::statement::Statement;
use crate::table::audit::audit_columns;
use crate::table::audit_id;

/// Number of records whose ids are read at once.
const IDS_READ_AT_ONCE: usize = 100;

/// The latest `$5` records before a position and after a time.
pub static LATEST: Statement = Statement::new(
    "audit.latest",
    5,
    concat!(
        "SELECT ",
        audit_columns!(),
        ", a.audit_no, a.mac FROM audit a
         WHERE a.app_no = $1 AND (a.time_ms, a.audit_no) < ($2, $3) AND a.time_ms > $4
             AND a.audit_no > 0
         ORDER BY a.time_ms DESC, a.audit_no DESC LIMIT $5"
    ),
);

/// Reads a page.
pub async fn read<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    filter: &AuditFilter,
    after: Option<AuditPosition>,
    rows: u32,
) -> Result<AuditPage, Error> {
    let examined = records(connection, app_no, filter, after).await?;
    let is_full = examined.len() == saturating::<usize, _>(AUDIT_RECORDS_EXAMINED_MAX);
    let last = examined.last().map(position).filter(|_| is_full);
    let by_method = |entry: &AuditEntry| {
        let method = filter.method.as_ref();
        method.is_none_or(|method| *method == entry.record.method)
    };
    let mut rest: Vec<AuditEntry> = examined.into_iter().filter(by_method).collect();
    let mut page = AuditPage {
        entries: Vec::new(),
        next: last,
    };
    let mut bytes = 0;
    while !rest.is_empty() {
        let later = rest.split_off(rest.len().min(IDS_READ_AT_ONCE));
        let mut ids = ids(connection, app_no, &rest).await?;
        for mut entry in std::mem::replace(&mut rest, later) {
            let encoded = ids.remove(&entry.record.record_id).unwrap_or_default();
            let record_id = entry.record.record_id;
            entry.ids =
                AuditIds::decode(&encoded).ok_or_else(|| corrupt("audit_id", "ids", &record_id))?;
            if !is_meant(&entry.ids, filter) {
                continue;
            }
            bytes += encoded.len();
            let is_beyond = bytes > PAGE_BYTES_MAX && !page.entries.is_empty();
            if is_beyond || page.entries.len() == saturating::<usize, _>(rows) {
                page.next = page.entries.last().map(position);
                return Ok(page);
            }
            page.entries.push(entry);
        }
    }
    Ok(page)
}

/// Reads records without their ids.
async fn records<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    filter: &AuditFilter,
    after: Option<AuditPosition>,
) -> Result<Vec<AuditEntry>, Error> {
    // Numbers begin with 1.
    let before = filter.before.map(|time| AuditPosition { time, no: 0 });
    let end = AuditPosition {
        time: Millis(i64::MAX),
        no: 0,
    };
    let start = [before, after].into_iter().flatten().min().unwrap_or(end);
    let read = BoundStatement::of(&LATEST)
        .bind(app_no)
        .bind(start.time.0)
        .bind(start.no)
        .bind(filter.after.map_or(i64::MIN, |time| time.0))
        .bind(AUDIT_RECORDS_EXAMINED_MAX);
    let rows = connection.fetch(read).await?;
    let entries = rows.into_iter().map(|mut row| {
        let sealed = row.sealed_record()?;
        let (no, mac): (i64, Mac) = (row.int()?, row.column("audit", "mac")?);
        Ok(AuditEntry {
            link: AuditLink { no, mac },
            record: sealed.record,
            ids: AuditIds::default(),
        })
    });
    entries.collect()
}

/// Reads the encoded ids of records.
async fn ids<DB: Backend>(
    connection: &mut Connection<DB>,
    app_no: i64,
    entries: &[AuditEntry],
) -> Result<HashMap<Uuid, Vec<u8>>, Error> {
    let mut read = BoundStatement::of(&audit_id::READ);
    for entry in entries {
        read.push_row([app_no.into(), entry.record.record_id.into()]);
    }
    let rows = connection.fetch(read).await?;
    let ids = rows
        .into_iter()
        .map(|mut row| Ok((row.uuid()?, row.column("audit_id", "ids")?)));
    ids.collect()
}

const fn position(entry: &AuditEntry) -> AuditPosition {
    AuditPosition {
        time: entry.record.time,
        no: entry.link.no,
    }
}

/// Returns whether the ids of a record meet a filter.
fn is_meant(ids: &AuditIds, filter: &AuditFilter) -> bool {
    let is_subject = |id: &AuditId| matches!(id, AuditId::Subject(_));
    let has = |text: &Option<String>, of_subject: bool| {
        text.as_ref().is_none_or(|text| {
            let mut ids = ids.kept().filter(|id| is_subject(id) == of_subject);
            ids.any(|id| id.to_string() == *text)
        })
    };
    has(&filter.subject, true) && has(&filter.touched_id, false)
}
