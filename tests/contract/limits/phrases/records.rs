//! Limits of erasures and of the audit log.

use ::domain::limits as domain;

use super::super::units::{at_most, at_most_text, cut, number, size};
use super::Phrases;

pub fn limits_of_erasures() -> Phrases {
    let days = domain::REVOCATION_KEPT_MS / domain::DAY_MS;
    let hours = domain::APP_ERASURE_DELAY_MS / domain::HOUR_MS;
    let page = format!(
        "examines at most {} rows and returns at most {}",
        number(domain::ROWS_EXAMINED_MAX),
        size(domain::PAGE_BYTES_MAX)
    );
    vec![
        ("Sys.GetErasure", format!("for {days} days")),
        (
            "ERROR_REASON_ERASURE_NOT_FOUND",
            format!("more than {days} days ago"),
        ),
        ("Sys.EraseApp", format!("in {hours} hours")),
        ("Sys.ExportProfile", page),
    ]
}

pub fn limits_of_the_audit_log() -> Phrases {
    let text = at_most(domain::AUDIT_FILTER_BYTES_MAX);
    vec![
        (
            "Sys.ListAudit",
            format!(
                "examines at most {} records and returns at most {} of ids",
                number(domain::AUDIT_RECORDS_EXAMINED_MAX),
                size(domain::PAGE_BYTES_MAX)
            ),
        ),
        ("ListAuditRequest.method_name", text.clone()),
        ("ListAuditRequest.subject", text.clone()),
        ("ListAuditRequest.touched_id", text),
        (
            "ListAuditRequest.page_size",
            cut(domain::ROWS_PER_PAGE_DEFAULT, domain::ROWS_PER_PAGE_MAX),
        ),
        ("AuditRecord.request_hash", size(32)),
        (
            "AuditRecord.id_count",
            at_most_text(&number(domain::AUDIT_IDS_MAX)),
        ),
    ]
}
