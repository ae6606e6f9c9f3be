//! `postroom audit verify`: verifies seals and chains.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::anyhow;
use clap::Args as Arguments;
use domain::AppId;
use domain::audit::{AuditKey, AuditLink, Mac};
use storage::{AuditFault, AuditLog};

use super::apps;
use crate::commands::config_args::ConfigArgs;
use crate::config::{HexKey, Problem};
use crate::failure::Failure;
use crate::output::print_line;
use crate::protected_file::read_secret;

const EXAMPLES: &str = "\
Examples:
  postroom audit verify --dev
  postroom audit verify --config postroom.toml --head chess:1234:9f86d081884c7d65…
  postroom audit verify --config postroom.toml --previous-key-file audit-key-1";

/// Verify that no record of the audit log was changed, removed, inserted or moved
///
/// The last line is `faults N over M records of A apps`. Somebody who can write to the database and
/// has a copy of it can still put the whole log back as it was; so heads are logged each hour as
/// `audit.head`, and --head verifies that the log leads to one of them.
///
/// Besides `audit.key`, records are verified with the keys that were in use before: those of
/// `audit.previous_key` and --previous-key-file.
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Verify the log of one app only
    #[arg(long, value_name = "APP", value_parser = AppId::parse)]
    app: Option<AppId>,
    /// Head from a line audit.head of the service's log. Repeat for more
    #[arg(long, value_name = "APP:NO:MAC")]
    head: Vec<LoggedHead>,
    /// File with an earlier key of the log. Repeat for more, the latest first
    #[arg(long, value_name = "FILE")]
    previous_key_file: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Head of a chain, as it was logged.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LoggedHead {
    app: AppId,
    link: AuditLink,
}

impl FromStr for LoggedHead {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let parse = || {
            let mut parts = text.rsplitn(3, ':');
            let mac: Mac = HexKey::parse(parts.next()?)?.bytes();
            let no = parts.next()?.parse().ok()?;
            let app = AppId::parse(parts.next()?).ok()?;
            let link = AuditLink { no, mac };
            Some(Self { app, link })
        };
        parse().ok_or("must be an app id, a number, and 64 hexadecimal digits, with colons between")
    }
}

#[derive(Default)]
struct VerifyTotals {
    apps: u64,
    records: u64,
    faults: u64,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let previous: Result<Vec<AuditKey>, Problem> =
        args.previous_key_file.iter().map(read_key).collect();
    let previous = previous?;
    let (config, key) = args.config.load_with_audit_key()?;
    let configured = [key].into_iter().chain(config.audit.previous_key());
    let keys: Vec<AuditKey> = configured.chain(previous).collect();
    let store = ConfigArgs::open(&config).await?;
    let totals = verify(&*store, &keys, &args).await;
    store.close().await;
    let VerifyTotals {
        apps,
        records,
        faults,
    } = totals?;
    print_line(format_args!(
        "faults {faults} over {records} records of {apps} apps"
    ))?;
    match faults {
        0 => Ok(()),
        count => Err(anyhow!("the audit log has {count} faults").into()),
    }
}

fn read_key(file: impl AsRef<Path>) -> Result<AuditKey, Problem> {
    let file = file.as_ref();
    let problem = |what: &dyn Display| {
        Problem::new("--previous-key-file", format!("{}: {what}", file.display()))
    };
    let secret = read_secret(file).map_err(|error| problem(&error))?;
    let key = HexKey::try_from(secret).map_err(|error| problem(&error))?;
    Ok(AuditKey::new(key.bytes()))
}

async fn verify(
    log: &dyn AuditLog,
    keys: &[AuditKey],
    args: &Args,
) -> Result<VerifyTotals, Failure> {
    let mut totals = VerifyTotals::default();
    let mut heads: Vec<&LoggedHead> = args.head.iter().collect();
    for app in apps(log, args.app.as_ref()).await? {
        totals.apps += 1;
        let mut told = BTreeSet::new();
        let mut after = None;
        loop {
            let part = log
                .verify_audit(&app, keys, after)
                .await
                .map_err(anyhow::Error::from)?;
            totals.records += part.entries.len() as u64;
            told.extend(part.faults.iter().map(describe));
            heads.retain(|head| {
                let is_met = |entry: &storage::AuditEntry| entry.link == head.link;
                head.app != app || !part.entries.iter().any(is_met)
            });
            after = part.next;
            if after.is_none() {
                break;
            }
        }
        totals.faults += told.len() as u64;
        for fault in told {
            print_line(format_args!("{app}: {fault}"))?;
        }
    }
    for LoggedHead { app, link } in heads {
        totals.faults += 1;
        print_line(format_args!(
            "{app}: the log does not lead to head {}",
            link.no
        ))?;
    }
    Ok(totals)
}

fn describe(fault: &AuditFault) -> String {
    match fault {
        AuditFault::Head => {
            "the head is missing, was changed, or is sealed with another key".to_owned()
        }
        AuditFault::End(no) => format!("the last record is not {no}, as the head says"),
        AuditFault::Missing(no) => format!("record {no} is missing"),
        AuditFault::Record(no) => format!("record {no} was changed, or sealed with another key"),
        AuditFault::Replaced(no) => {
            format!("record {no} was sealed with a key that had been replaced")
        }
        AuditFault::Ids(no) => format!("the ids of record {no} were changed or removed"),
        AuditFault::Link(no) => format!("record {no} does not follow the one before it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logged_head_is_app_number_and_mac() {
        let mac = "0a".repeat(32);
        let head: LoggedHead = format!("a:b:7:{mac}").parse().expect("a head");
        let app = AppId::parse("a:b").expect("an app id");
        let link = AuditLink {
            no: 7,
            mac: [10; 32],
        };
        assert_eq!(head, LoggedHead { app, link });
        for text in ["", "a:7", "a:b", &format!("a:x:{mac}"), &format!("7:{mac}")] {
            assert!(text.parse::<LoggedHead>().is_err(), "{text}");
        }
    }
}
