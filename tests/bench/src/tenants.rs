//! What one app notices of another one that asks for far more than its share.
//!
//! Not one of the scenarios: two apps call at once, and what counts is the smaller one's wait.

use std::time::Duration;

use anyhow::ensure;
use clap::Args as Arguments;
use proto::sys::v1 as sys;
use proto::sys::v1::sys_client::SysClient;
use serde::Serialize;
use tonic::Request;

use crate::files::Files;
use crate::load::caller::{Caller, connection};
use crate::load::closed_loop::now_us;
use crate::load::open_loop::{Offer, Waited, offer};
use crate::measure::sample::float;
use crate::report::table;
use crate::scenario::Work;
use crate::site::alone::Alone;
use crate::site::keys::Keys;
use crate::site::server::Server;
use crate::site::world::{PROFILES_MIN, World};

/// Longer than it ever takes.
pub const TIME_MAX: Duration = Duration::from_mins(30);

/// Connections of each app.
const CONNECTIONS: usize = 16;
/// How much the greedy app asks for, times its quota.
const GREED: f64 = 20.0;
/// What the modest app asks for, a second.
const MODEST: f64 = 10.0;
/// How long callers wait.
const PATIENCE: Duration = Duration::from_secs(5);
/// What the wait beside the other one may be, of the wait alone.
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
    /// How often each is measured, in turns
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    #[command(flatten)]
    files: Files,
}

/// What a call of the modest app waited, alone and beside the greedy one.
#[derive(Debug, Serialize)]
struct Figures {
    quota: u32,
    turns: Vec<Turn>,
    /// The median over the turns.
    ratio: f64,
    verified: String,
}

#[derive(Debug, Serialize)]
struct Turn {
    alone: Waited,
    beside: Waited,
    /// Of the greedy app, a second.
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
    let alone = Alone::postgres(&args.files.program().await?).await?;
    let server = &alone.server;
    let greedy = tenant(server, "greedy", Some(args.quota)).await?;
    let modest = tenant(server, "modest", None).await?;
    let offered = |per_second| Offer {
        work: Work::Send,
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
        turns.push(Turn {
            alone: Waited::of(&alone),
            beside: Waited::of(&beside),
            greedy: float(much.latencies.len() as u64) / much.secs,
            greedy_others: much.others(),
        });
    }
    let mut ratios: Vec<f64> = turns.iter().map(Turn::ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let figures = Figures {
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
async fn tenant(server: &Server, app: &str, quota: Option<u32>) -> anyhow::Result<Caller> {
    let world = World::new(PROFILES_MIN, 0, now_us() / 1000);
    let keys = Keys::sign_in(app, &world)?;
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
    let caller = Caller::connect(server.user, None, CONNECTIONS, keys, world).await?;
    caller.prime().await?;
    Ok(caller)
}

impl Turn {
    fn ratio(&self) -> f64 {
        self.beside.p99_ms / self.alone.p99_ms
    }
}

impl Figures {
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
