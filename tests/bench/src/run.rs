//! A whole run, from nothing to its report.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{Databases, Plan};
use crate::load::closed_loop::now_us;
use crate::measure::measure;
use crate::measure::round::Round;
use crate::report::Report;
use crate::report::machine::Machine;
use crate::scenario::{Scenario, Target};
use crate::site::Site;
use crate::site::keys::Keys;
use crate::site::postgres::Postgres;
use crate::site::world::World;

/// Between the readings of a measurement and the next one.
const PAUSE: Duration = Duration::from_millis(300);
/// How much more there is in the large database.
const LARGE: u64 = 5;

/// Measures what the plan says, has all mailboxes recounted, and prints what it found.
///
/// # Errors
/// If something cannot be started, does not do what it should, or drifts.
pub async fn run(plan: &Plan) -> anyhow::Result<()> {
    let steps = steps(plan);
    let mut house = House::build(plan, &steps).await?;
    let progress = bar(steps.len() as u64 * plan.repeats as u64, "measuring");
    let mut rounds: Vec<Round> = (0..plan.repeats).map(|_| Round::default()).collect();
    // Reads before anything is written: all of the messages are alike then, to one recipient.
    let (reads, others) = steps.iter().partition(|(scenario, _)| scenario.reads());
    for steps in [reads, others] {
        let steps: Vec<Step> = steps;
        for (repeat, round) in rounds.iter_mut().enumerate() {
            let again = |(scenario, _): &&Step| repeat == 0 || !scenario.is_once();
            let steps: Vec<Step> = steps.iter().filter(again).copied().collect();
            house.measure(plan, &steps, round, &progress).await?;
        }
    }
    progress.finish_and_clear();
    let verified = house.verify().await?;
    let version = house
        .postgres
        .as_ref()
        .map(|postgres| postgres.version.clone());
    let report = Report::of(&rounds, Machine::this(version), verified);
    report.print(plan.markdown);
    plan.files.write_json(&report)?;
    ensure!(report.is_complete(), "calls failed");
    Ok(())
}

type Step = (Scenario, Target);

/// What is measured in each repeat, in this order.
fn steps(plan: &Plan) -> Vec<Step> {
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
struct House {
    sites: Vec<Site>,
    postgres: Option<Postgres>,
}

impl House {
    async fn build(plan: &Plan, steps: &[Step]) -> anyhow::Result<Self> {
        let program = plan.files.program().await?;
        let world = World::new(plan.profiles, plan.messages, now_us() / 1000);
        let large = World::new(plan.profiles, plan.messages * LARGE, now_us() / 1000);
        let keys = Keys::sign(&world)?;
        let needed = |target| steps.iter().any(|(_, needed)| *needed == target);
        let mut house = Self {
            sites: Vec::new(),
            postgres: None,
        };
        for (target, world) in [(Target::Postgres, world), (Target::Large, large)] {
            if !needed(target) {
                continue;
            }
            let progress = bar(world.messages(), target.title());
            if house.postgres.is_none() {
                house.postgres = Some(Postgres::start().await?);
            }
            let postgres = house.postgres.as_ref().context("started")?;
            let what = (target, world, keys.clone());
            let site = Site::postgres(&program, plan, what, postgres, &progress).await?;
            house.sites.push(site);
            progress.finish_and_clear();
        }
        if needed(Target::Sqlite) {
            let progress = bar(world.messages(), Target::Sqlite.title());
            house
                .sites
                .push(Site::sqlite(&program, plan, world, keys.clone(), &progress).await?);
            progress.finish_and_clear();
        }
        for target in [Target::Bare, Target::Layers] {
            if needed(target) {
                house
                    .sites
                    .push(Site::memory(target, plan, world, keys.clone()).await?);
            }
        }
        Ok(house)
    }

    /// Measures these once.
    async fn measure(
        &mut self,
        plan: &Plan,
        steps: &[Step],
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
