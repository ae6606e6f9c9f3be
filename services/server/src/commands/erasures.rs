//! `postroom erasures`: a list of the erased profiles outside of the database, for restores.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args as Arguments, Subcommand};
use domain::audit::{AuditKey, AuditKind, AuditedCall, RequestHasher};
use domain::{AppId, ErasureKey, Millis};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use storage::{ErasureList, ErasurePlace, ListedErasure, Maintenance, RepeatedErasures};
use uuid::Uuid;

use super::config_args::ConfigArgs;
use crate::audit_key::check_audit_key;
use crate::failure::Failure;
use crate::limits::LINE_BYTES_MAX;
use crate::output::{print_json, print_line};

const EXAMPLES: &str = "\
Examples:
  postroom erasures export --config postroom.toml > erasures.jsonl     beside each backup, and daily
  postroom erasures repeat --config postroom.toml erasures.jsonl       after a restore";

/// List erased profiles, and erase them again after a restore
#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Command {
    Export(ExportArgs),
    Repeat(RepeatArgs),
}

/// Print the erasures of all apps, one JSON object on each line
///
/// Profiles are named by a hash of their ids. Who can guess an id can look it up: keep the list as
/// you keep backups.
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct ExportArgs {
    #[command(flatten)]
    config: ConfigArgs,
}

/// Erase again the profiles of a list that a restored database has
///
/// All tables that can name a profile are searched. What the database itself knows to be erased, at
/// that time or later, is left alone, so that the command can be repeated. Each erasure has a record in
/// the audit log. The running service carries the erasures out.
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct RepeatArgs {
    /// List of `postroom erasures export`; - reads standard input. Several lists may follow one
    /// another in it
    #[arg(value_name = "FILE")]
    list: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

/// An erasure on a line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErasureLine {
    app: String,
    profile_key: Uuid,
    request_time: Timestamp,
}

pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Export(args) => {
            let store = args.config.open_store().await?;
            let exported = export(&*store).await;
            store.close().await;
            exported
        }
        Command::Repeat(args) => {
            let (config, key) = args.config.load_with_audit_key()?;
            let call = audited_call(&key);
            let listed = read(&args.list, &call.request)?;
            let store = ConfigArgs::open(&config).await?;
            let repeated = match check_audit_key(&config.audit, &*store).await {
                Ok(()) => repeat(&*store, &listed, &Arc::new(call)).await,
                Err(failure) => Err(failure),
            };
            store.close().await;
            let RepeatedErasures { rows, begun, .. } = repeated?;
            print_line(format_args!("erasures begun {begun}, over {rows} rows"))
        }
    }
}

async fn export(store: &dyn Maintenance) -> Result<(), Failure> {
    let mut after: Option<ErasurePlace> = None;
    loop {
        let part = store.list_erasures(after).await;
        let part = part.map_err(anyhow::Error::from)?;
        for erasure in part.erasures {
            let line = ErasureLine::try_from(erasure).map_err(anyhow::Error::from)?;
            print_json(&line)?;
        }
        after = part.next;
        if after.is_none() {
            return Ok(());
        }
    }
}

/// The call of the command, as the audit log has it.
fn audited_call(key: &AuditKey) -> AuditedCall {
    AuditedCall {
        call_id: Uuid::new_v4(),
        method: "postroom erasures repeat",
        kind: AuditKind::Change,
        subject: None,
        issuer: "".into(),
        key_id: None,
        request: key.request_hasher(),
    }
}

async fn repeat(
    store: &dyn Maintenance,
    listed: &ErasureList,
    call: &Arc<AuditedCall>,
) -> Result<RepeatedErasures, Failure> {
    let mut all = RepeatedErasures::default();
    for app in listed.apps() {
        loop {
            let part = store.repeat_erasures(app, listed, call, all.next).await;
            let part = part.map_err(anyhow::Error::from)?;
            all.rows += part.rows;
            all.begun += part.begun;
            all.next = part.next;
            if all.next.is_none() {
                break;
            }
        }
    }
    Ok(all)
}

/// Reads a list, and adds it to a hash.
///
/// # Errors
/// If it cannot be read, or a line is not of a list.
fn read(path: &PathBuf, hash: &RequestHasher) -> Result<ErasureList, Failure> {
    let name = path.display();
    let unusable = |error: io::Error| Failure::Usage(format!("{name}: {error}"));
    let mut source: Box<dyn BufRead> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(path).map_err(unusable)?))
    };
    let mut list = ErasureList::default();
    for number in 1_u64.. {
        let mut line = Vec::new();
        let mut bounded = source.by_ref().take(LINE_BYTES_MAX);
        if bounded.read_until(b'\n', &mut line).map_err(unusable)? == 0 {
            break;
        }
        hash.update(&line);
        let erasure = parse(line.trim_ascii())
            .map_err(|error| Failure::Usage(format!("{name}, line {number}: {error}")))?;
        list.extend(erasure);
    }
    Ok(list)
}

/// Parses a line; none for an empty one.
fn parse(line: &[u8]) -> Result<Option<ListedErasure>, String> {
    if line.is_empty() {
        return Ok(None);
    }
    let line: ErasureLine = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    Ok(Some(ListedErasure {
        app: AppId::parse(&line.app).map_err(|error| format!("app {error}"))?,
        key: ErasureKey::from_uuid(line.profile_key),
        requested: Millis(line.request_time.as_millisecond()),
    }))
}

impl TryFrom<ListedErasure> for ErasureLine {
    type Error = jiff::Error;

    fn try_from(erasure: ListedErasure) -> Result<Self, jiff::Error> {
        Ok(Self {
            app: erasure.app.as_str().to_owned(),
            profile_key: erasure.key.uuid(),
            request_time: Timestamp::from_millisecond(erasure.requested.0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::ProfileId;

    use super::*;

    fn erasure() -> ListedErasure {
        let profile = ProfileId::parse("ann").expect("a profile id");
        ListedErasure {
            app: AppId::parse("chess").expect("an app id"),
            key: ErasureKey::of(&profile),
            requested: Millis(1_798_000_000_123),
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_printed() {
        let line = ErasureLine::try_from(erasure()).expect("a time");
        let line = serde_json::to_vec(&line).expect("JSON");
        assert_eq!(parse(&line), Ok(Some(erasure())));
        assert!(!String::from_utf8_lossy(&line).contains("ann"));
    }

    #[test]
    fn a_line_of_another_file_is_an_error() {
        assert_eq!(parse(b""), Ok(None));
        for line in ["ann", "{}", "{\"app\":\"\",\"profile_key\":\"x\"}"] {
            assert!(parse(line.as_bytes()).is_err(), "{line}");
        }
    }

    #[test]
    fn the_latest_of_several_erasures_counts() {
        let mut list = ErasureList::default();
        let later = ListedErasure {
            requested: Millis(erasure().requested.0 + 1),
            ..erasure()
        };
        list.extend([later.clone(), erasure()]);
        let ListedErasure { app, key, .. } = erasure();
        assert_eq!(list.requested(&app, key), Some(later.requested));
    }
}
