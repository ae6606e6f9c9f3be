//! Isolation of apps: latencies of one app beside another that exceeds its quota.
//!
//! A subcommand rather than a scenario: two apps call at once, and the smaller one is measured.

use std::time::Duration;

use anyhow::ensure;
use clap::Args as Arguments;
use proto::sys::v1 as sys;
use proto::sys::v1::sys_client::SysClient;
use serde::Serialize;
use tonic::Request;

use crate::files::Files;
use crate::load::caller::{LoadCaller, connection};
use crate::load::closed_loop::now_us;
use crate::load::open_loop::{Offer, Waited, offer};
use crate::measure::sample::float;
use crate::report::table;
use crate::scenario::CallKind;
use crate::site::dataset::{Dataset, PROFILES_MIN};
use crate::site::keys::SignedTokens;
use crate::site::server::BenchServer;
use crate::site::standalone::StandaloneService;

/// Limit of the whole run. Only a hang reaches it.
pub const TIME_MAX: Duration = Duration::from_mins(30);

/// Connections of each app.
const CONNECTIONS: usize = 16;
/// Load of the greedy app, as a multiple of its quota.
const GREED: f64 = 20.0;
/// Load of the modest app, in calls per second.
const MODEST: f64 = 10.0;
/// Longest wait of a caller.
const PATIENCE: Duration = Duration::from_secs(5);
/// Maximum ratio of the p99 beside the other app to the p99 alone.
const MUST: f64 = 1.3;

/// Measure what an app notices of another one that is at 20 times its quota
#[derive(Debug, Arguments)]
pub struct Args {
    /// The greedy app's quota: sends a second
    #[arg(long, default_value_t = 100)]
    quota: u32,
    /// Seconds of each load
    #[arg(long, default_value_t = 20)]
    secs: u64,
    /// Repeats of each measurement, in turns
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    #[command(flatten)]
    files: Files,
}

/// Latencies of the modest app, alone and beside the greedy one.
#[derive(Debug, Serialize)]
struct TenantFigures {
    quota: u32,
    turns: Vec<TenantRound>,
    /// The median over the turns.
    ratio: f64,
    verified: String,
}

#[derive(Debug, Serialize)]
struct TenantRound {
    alone: Waited,
    beside: Waited,
    /// Accepted calls of the greedy app per second.
    greedy: f64,
    greedy_others: String,
}

/// Measures the modest app alone and beside the greedy one, and prints what it waited.
///
/// # Errors
/// If something cannot be started, the modest app is refused anything, or a mailbox drifts.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(
        args.secs > 0 && args.repeats > 0 && args.quota > 0,
        "--secs, --repeats and --quota begin at 1"
    );
    let alone = StandaloneService::postgres(&args.files.program().await?).await?;
    let server = &alone.server;
    let greedy = tenant(server, "greedy", Some(args.quota)).await?;
    let modest = tenant(server, "modest", None).await?;
    let offered = |per_second| Offer {
        work: CallKind::Send,
        per_second,
        patience: PATIENCE,
    };
    let mut turns = Vec::new();
    for _ in 0..args.repeats {
        let alone = offer(&modest, offered(MODEST), args.secs).await?;
        let greed = offered(GREED * f64::from(args.quota));
        let (beside, much) = tokio::try_join!(
            offer(&modest, offered(MODEST), args.secs),
            offer(&greedy, greed, args.secs)
        )?;
        turns.push(TenantRound {
            alone: Waited::of(&alone),
            beside: Waited::of(&beside),
            greedy: float(much.latencies.len() as u64) / much.secs,
            greedy_others: much.others(),
        });
    }
    let mut ratios: Vec<f64> = turns.iter().map(TenantRound::ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let figures = TenantFigures {
        quota: args.quota,
        ratio: ratios[ratios.len() / 2],
        turns,
        verified: server.verify().await?,
    };
    figures.print();
    args.files.write_json(&figures)?;
    ensure!(
        figures
            .turns
            .iter()
            .all(|turn| turn.beside.others.is_empty()),
        "calls of the modest app failed"
    );
    Ok(())
}

/// Calls as the users of an app, whose sends are bounded if there is a quota.
async fn tenant(server: &BenchServer, app: &str, quota: Option<u32>) -> anyhow::Result<LoadCaller> {
    let dataset = Dataset::new(PROFILES_MIN, 0, now_us() / 1000);
    let keys = SignedTokens::sign_in(app, &dataset)?;
    if let Some(quota) = quota {
        let mut request = Request::new(sys::UpdateAppSettingsRequest {
            settings: Some(sys::AppSettings {
                app_sends_per_second: Some(quota),
                app_sends_burst: Some(quota),
                ..Default::default()
            }),
            ..Default::default()
        });
        request.metadata_mut().insert("authorization", keys.app());
        SysClient::new(connection(server.sys).await?)
            .update_app_settings(request)
            .await?;
    }
    let caller = LoadCaller::connect(server.user, None, CONNECTIONS, keys, dataset).await?;
    caller.prime().await?;
    Ok(caller)
}

impl TenantRound {
    fn ratio(&self) -> f64 {
        self.beside.p99_ms / self.alone.p99_ms
    }
}

impl TenantFigures {
    /// Prints it for people.
    fn print(&self) {
        let columns = [
            "the modest app",
            "calls",
            "p50 ms",
            "p99 ms",
            "refused",
            "the greedy one, sends a second",
            "and not",
        ];
        let mut table = table(&columns, true);
        for turn in &self.turns {
            let rows = [
                ("alone", &turn.alone, String::new(), ""),
                (
                    "beside",
                    &turn.beside,
                    format!("{:.0}", turn.greedy),
                    turn.greedy_others.as_str(),
                ),
            ];
            for (what, waited, greedy, others) in rows {
                table.add_row([
                    what.to_owned(),
                    waited.calls.to_string(),
                    format!("{:.1}", waited.p50_ms),
                    format!("{:.1}", waited.p99_ms),
                    waited.others.clone(),
                    greedy,
                    others.to_owned(),
                ]);
            }
        }
        println!("{table}\n");
        let verdict = if self.ratio <= MUST { "met" } else { "missed" };
        println!(
            "p99 beside {GREED} times a quota of {} / alone: {:.2} (must: {MUST}): {verdict}",
            self.quota, self.ratio
        );
        println!("postroom verify: {}", self.verified);
    }
}
