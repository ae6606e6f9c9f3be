//! `postroom audit export`: the records as JSON lines.

use clap::Args as Arguments;
use domain::AppId;
use domain::audit::AuditId;
use domain::text::hexadecimal;
use serde::Serialize;
use storage::{AuditEntry, AuditLog};

use super::apps;
use crate::commands::config_args::ConfigArgs;
use crate::failure::Failure;
use crate::output::print_json;

const EXAMPLES: &str = "\
Example:
  postroom audit export --config postroom.toml > audit.jsonl";

/// Print the records of the audit log, one JSON object on each line
///
/// Apps come in the order of their ids, and the records of each in the order of their numbers. An
/// export does not verify them.
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Export the log of one app only
    #[arg(long, value_name = "APP", value_parser = AppId::parse)]
    app: Option<AppId>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// A record on a line.
#[derive(Serialize)]
struct ExportedRecord<'a> {
    app: &'a str,
    audit_no: i64,
    time: String,
    method_name: &'a str,
    kind: &'static str,
    affected: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    issuer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_id: Option<&'a str>,
    call_id: String,
    request_hash: String,
    touched_profile_ids: Vec<String>,
    touched_message_ids: Vec<String>,
    touched_job_ids: Vec<String>,
    id_count: i64,
    erased_ids: usize,
    mac: String,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let store = args.config.open_store().await?;
    let exported = export(&*store, args.app.as_ref()).await;
    store.close().await;
    exported
}

async fn export(log: &dyn AuditLog, only: Option<&AppId>) -> Result<(), Failure> {
    for app in apps(log, only).await? {
        let mut after = None;
        loop {
            let part = log
                .verify_audit(&app, &[], after)
                .await
                .map_err(anyhow::Error::from)?;
            for entry in &part.entries {
                print_json(&exported(&app, entry)?)?;
            }
            after = part.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}

fn exported<'a>(app: &'a AppId, entry: &'a AuditEntry) -> anyhow::Result<ExportedRecord<'a>> {
    let AuditEntry { link, record, ids } = entry;
    let of_kind = |is_meant: fn(&AuditId) -> bool| -> Vec<String> {
        let ids = ids.kept().filter(|id| is_meant(id));
        ids.map(AuditId::to_string).collect()
    };
    let time = jiff::Timestamp::from_millisecond(record.time.0)?;
    Ok(ExportedRecord {
        app: app.as_str(),
        audit_no: link.no,
        time: format!("{time:.3}"),
        method_name: &record.method,
        kind: record.kind.name(),
        affected: record.affected,
        subject: of_kind(|id| matches!(id, AuditId::Subject(_))).pop(),
        issuer: &record.issuer,
        key_id: record.key_id.as_deref(),
        call_id: record.call_id.to_string(),
        request_hash: hexadecimal(&record.request_hash),
        touched_profile_ids: of_kind(|id| matches!(id, AuditId::Profile(_))),
        touched_message_ids: of_kind(|id| matches!(id, AuditId::Message(_))),
        touched_job_ids: of_kind(|id| matches!(id, AuditId::Job(_))),
        id_count: record.id_count,
        erased_ids: ids.erased(),
        mac: hexadecimal(&link.mac),
    })
}
