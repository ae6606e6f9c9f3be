//! `ListAudit`: records of the audit log, the latest first.

use domain::Violations;
use domain::audit::{AuditId, AuditIds, AuditKind};
use domain::limits::{AUDIT_FILTER_BYTES_MAX, ROWS_PER_PAGE_DEFAULT, ROWS_PER_PAGE_MAX};
use domain::number::saturating;
use proto::internal::v1::AuditPageToken;
use proto::sys::v1::{self, AuditRecord, ListAuditRequest, ListAuditResponse};
use rpc::convert::time;
use rpc::convert::token::Binding;
use rpc::methods::sys::LIST_AUDIT;
use rpc::{RpcError, System};
use storage::{AuditEntry, AuditFilter, AuditLog, AuditPosition};

pub async fn handle(
    log: &dyn AuditLog,
    system: System,
    request: ListAuditRequest,
) -> Result<ListAuditResponse, RpcError> {
    let app = system.app();
    let binding = Binding {
        app,
        owner: None,
        method: LIST_AUDIT.path,
    };
    let rows = match request.page_size {
        0 => ROWS_PER_PAGE_DEFAULT,
        size => size.min(ROWS_PER_PAGE_MAX),
    };
    let after = position(&binding, &request.page_token)?;
    let filter = parse(request)?;
    let page = log.audit_page(app, &filter, after, rows).await?;
    let next = page.next.map(|next| {
        binding.seal(&AuditPageToken {
            time_ms: next.time.0,
            audit_no: next.no,
        })
    });
    Ok(ListAuditResponse {
        records: page.entries.iter().map(show).collect(),
        next_page_token: next.unwrap_or_default(),
    })
}

/// Returns the position in a page token; none for the first page.
fn position(binding: &Binding<'_>, token: &str) -> Result<Option<AuditPosition>, RpcError> {
    if token.is_empty() {
        return Ok(None);
    }
    let AuditPageToken { time_ms, audit_no } =
        binding.open(token).ok_or(RpcError::PageContextInvalid)?;
    Ok(Some(AuditPosition {
        time: domain::Millis(time_ms),
        no: audit_no,
    }))
}

fn parse(request: ListAuditRequest) -> Result<AuditFilter, Violations> {
    let mut violations = Violations::none();
    let after = time::after(request.after, "after", &mut violations);
    let before = time::before(request.before, "before", &mut violations);
    let mut text = |text: String, field| {
        if text.len() > AUDIT_FILTER_BYTES_MAX {
            let what = format!("must have at most {AUDIT_FILTER_BYTES_MAX} bytes");
            violations.invalid(field, what);
        }
        (!text.is_empty()).then_some(text)
    };
    let filter = AuditFilter {
        after,
        before,
        method: text(request.method_name, "method_name"),
        subject: text(request.subject, "subject"),
        touched_id: text(request.touched_id, "touched_id"),
    };
    violations.finish(Some(filter))
}

fn show(entry: &AuditEntry) -> AuditRecord {
    let AuditEntry { link, record, ids } = entry;
    let of_kind = |is_meant: fn(&AuditId) -> bool| -> Vec<String> {
        let ids = ids.kept().filter(|id| is_meant(id));
        ids.map(AuditId::to_string).collect()
    };
    AuditRecord {
        audit_no: link.no,
        time: Some(time::timestamp(record.time)),
        method_name: record.method.clone(),
        kind: kind(record.kind).into(),
        affected: record.affected,
        subject: of_kind(|id| matches!(id, AuditId::Subject(_))).concat(),
        issuer: record.issuer.clone(),
        key_id: record.key_id.clone().unwrap_or_default(),
        call_id: record.call_id.to_string(),
        request_hash: record.request_hash.to_vec(),
        touched_profile_ids: of_kind(|id| matches!(id, AuditId::Profile(_))),
        touched_message_ids: of_kind(|id| matches!(id, AuditId::Message(_))),
        touched_job_ids: of_kind(|id| matches!(id, AuditId::Job(_))),
        id_count: record.id_count,
        erased_ids: saturating(AuditIds::erased(ids)),
    }
}

const fn kind(kind: AuditKind) -> v1::AuditKind {
    match kind {
        AuditKind::Change => v1::AuditKind::Change,
        AuditKind::Read => v1::AuditKind::Read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_violations_are_reported_together() {
        let long = "x".repeat(AUDIT_FILTER_BYTES_MAX + 1);
        let violations = parse(ListAuditRequest {
            after: Some(time::timestamp(domain::Millis(i64::MAX))),
            method_name: long.clone(),
            subject: long.clone(),
            touched_id: long,
            ..ListAuditRequest::default()
        });
        let violations = violations.expect_err("violations");
        assert_eq!(violations.as_slice().len(), 4, "{violations:?}");
    }
}
