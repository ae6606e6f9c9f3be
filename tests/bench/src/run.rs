//! A whole run, from nothing to its report.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{Databases, RunPlan};
use crate::load::closed_loop::now_us;
use crate::measure::measure;
use crate::measure::round::Round;
use crate::report::Report;
use crate::report::machine::Machine;
use crate::scenario::{Scenario, Target};
use crate::site::MeasuredService;
use crate::site::dataset::Dataset;
use crate::site::keys::SignedTokens;
use crate::site::postgres::Postgres;

/// Between the readings of a measurement and the next one.
const PAUSE: Duration = Duration::from_millis(300);
/// Messages of the large database, as a multiple.
const LARGE: u64 = 5;

/// Runs all measurements, recounts all mailboxes, and prints the report.
///
/// # Errors
/// If something cannot be started, does not do what it should, or drifts.
pub async fn run(plan: &RunPlan) -> anyhow::Result<()> {
    let steps = steps(plan);
    let mut targets = TargetSet::build(plan, &steps).await?;
    let progress = bar(steps.len() as u64 * plan.repeats as u64, "measuring");
    let mut rounds: Vec<Round> = (0..plan.repeats).map(|_| Round::default()).collect();
    // Reads before anything is written: all of the messages are alike then, to one recipient.
    let (reads, others) = steps.iter().partition(|(scenario, _)| scenario.reads());
    for steps in [reads, others] {
        let steps: Vec<MeasurementStep> = steps;
        for (repeat, round) in rounds.iter_mut().enumerate() {
            let again = |(scenario, _): &&MeasurementStep| repeat == 0 || !scenario.is_once();
            let steps: Vec<MeasurementStep> = steps.iter().filter(again).copied().collect();
            targets.measure(plan, &steps, round, &progress).await?;
        }
    }
    progress.finish_and_clear();
    let verified = targets.verify().await?;
    let version = targets
        .postgres
        .as_ref()
        .map(|postgres| postgres.version.clone());
    let report = Report::of(&rounds, Machine::this(version), verified);
    report.print(plan.markdown);
    plan.files.write_json(&report)?;
    ensure!(report.is_complete(), "calls failed");
    Ok(())
}

type MeasurementStep = (Scenario, Target);

/// Measurements of a repeat, in order.
fn steps(plan: &RunPlan) -> Vec<MeasurementStep> {
    let wanted = |scenario: &Scenario| {
        scenario
            .groups()
            .iter()
            .any(|group| plan.groups.contains(group))
    };
    let on = |target: &Target| match target {
        Target::Postgres => plan.databases != Databases::Sqlite,
        Target::Large => plan.large && plan.databases != Databases::Sqlite,
        Target::Sqlite => plan.databases != Databases::Postgres,
        Target::Bare | Target::Layers => true,
    };
    // What SQLite is compared with is measured for it too.
    let compared = |scenario: Scenario, target: &Target| {
        on(target)
            || matches!(
                (scenario, target),
                (Scenario::PgbenchSend, Target::Postgres)
            )
    };
    let scenarios = Scenario::ALL.into_iter().filter(wanted);
    scenarios
        .flat_map(|scenario| {
            let targets = scenario.targets().iter().copied();
            targets
                .filter(move |target| compared(scenario, target))
                .map(move |target| (scenario, target))
        })
        .collect()
}

/// All targets. They end with this value: the servers first, then their databases.
struct TargetSet {
    sites: Vec<MeasuredService>,
    postgres: Option<Postgres>,
}

impl TargetSet {
    async fn build(plan: &RunPlan, steps: &[MeasurementStep]) -> anyhow::Result<Self> {
        let program = plan.files.program().await?;
        let dataset = Dataset::new(plan.profiles, plan.messages, now_us() / 1000);
        let large = Dataset::new(plan.profiles, plan.messages * LARGE, now_us() / 1000);
        let keys = SignedTokens::sign(&dataset)?;
        let needed = |target| steps.iter().any(|(_, needed)| *needed == target);
        let mut targets = Self {
            sites: Vec::new(),
            postgres: None,
        };
        for (target, dataset) in [(Target::Postgres, dataset), (Target::Large, large)] {
            if !needed(target) {
                continue;
            }
            let progress = bar(dataset.messages(), target.title());
            if targets.postgres.is_none() {
                targets.postgres = Some(Postgres::start().await?);
            }
            let postgres = targets.postgres.as_ref().context("started")?;
            let what = (target, dataset, keys.clone());
            let site = MeasuredService::postgres(&program, plan, what, postgres, &progress).await?;
            targets.sites.push(site);
            progress.finish_and_clear();
        }
        if needed(Target::Sqlite) {
            let progress = bar(dataset.messages(), Target::Sqlite.title());
            targets.sites.push(
                MeasuredService::sqlite(&program, plan, dataset, keys.clone(), &progress).await?,
            );
            progress.finish_and_clear();
        }
        for target in [Target::Bare, Target::Layers] {
            if needed(target) {
                targets
                    .sites
                    .push(MeasuredService::memory(target, plan, dataset, keys.clone()).await?);
            }
        }
        Ok(targets)
    }

    /// Measures these once.
    async fn measure(
        &mut self,
        plan: &RunPlan,
        steps: &[MeasurementStep],
        round: &mut Round,
        progress: &ProgressBar,
    ) -> anyhow::Result<()> {
        if steps.is_empty() {
            return Ok(());
        }
        for site in &self.sites {
            progress.set_message(format!("every user calls: {}", site.target.title()));
            site.caller.prime().await?;
        }
        for (scenario, target) in steps {
            let what = format!("{}: {}", target.title(), scenario.title());
            progress.set_message(what.clone());
            let site = self.sites.iter_mut().find(|site| site.target == *target);
            let site = site.context("a target that was built")?;
            let sample = measure(site, *scenario, plan).await.context(what)?;
            round.put(*scenario, *target, sample);
            progress.inc(1);
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    async fn verify(&self) -> anyhow::Result<Vec<String>> {
        let progress = ProgressBar::new_spinner().with_message("recounting all mailboxes");
        progress.enable_steady_tick(Duration::from_millis(100));
        let mut verified = Vec::new();
        for site in &self.sites {
            let said = site.verify().await.context(site.target.title())?;
            verified.extend(said.map(|said| format!("{}: {said}", site.target.title())));
        }
        progress.finish_and_clear();
        Ok(verified)
    }
}

fn bar(length: u64, message: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} {eta} {msg}");
    let bar = ProgressBar::new(length).with_message(message);
    bar.enable_steady_tick(Duration::from_millis(500));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
