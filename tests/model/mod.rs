//! Random operations: each database does what the reference does, refusals and all.
//!
//! `POSTROOM_MODEL_SEED` and `POSTROOM_MODEL_OPERATIONS` choose another run than the usual
//! one.

mod comparison;
pub mod generator;
pub mod reference;
mod tally;

use domain::limits::{BATCH_ENTRIES_MAX, DAY_MS, KEEP_FOR_MODERATION_MAX_MS};
use domain::operation::{Apply as _, CreateMailbox};
use domain::{Action, AppId, Millis, Operation, Outcome, Policy, ProfileId, Refusal};
use futures::future::join_all;
use support::ids::SequentialIds;
use support::store::{DatabaseKind, lenient};
use support::{coverage, drift, gears, however_gathered};

use crate::conformance::fixture::{BatchStore, StoreFixture};
use comparison::Comparison;
use generator::{GeneratedOperation, Generator};
use reference::{Reference, ReferenceAction};
use tally::OutcomeTally;

const SEED: u64 = 20_260_101;
/// Operations of a run in the second gear: enough for every kind of operation, outcome and
/// settling.
const OPERATIONS: u64 = 10_000;
/// Operations of a run in the first gear, and of one with lanes that are not the default.
const OPERATIONS_SHORT: u64 = 1_000;
/// Operations in a batch at the most.
const BATCH_MAX: u64 = 60;
/// Kinds of settling that a run must contain.
const MET: [&str; 7] = [
    "expired",
    "taken",
    "taken by a newcomer",
    "taken in a later version",
    "updated",
    "recalled",
    "recalled unseen",
];
/// Operations between two full comparisons.
const COMPARE_ALL_AFTER: u64 = 2_500;

however_gathered![random_operations_equal_the_reference_model];

/// Small boxes, so that they are full now and then.
pub fn policy() -> Policy {
    Policy {
        max_box_messages: 10,
        max_recipients: 5,
        max_expiry_ms: DAY_MS,
        max_unread_per_sender: 4,
        // Longer than any message lives: none goes before its expiry.
        keep_for_moderation_ms: KEEP_FOR_MODERATION_MAX_MS,
        // Quotas that no app reaches, so that the usage is counted.
        quotas: lenient().quotas,
        ..Policy::default()
    }
}

async fn random_operations_equal_the_reference_model(fixture: &StoreFixture) {
    let seed = setting("POSTROOM_MODEL_SEED", SEED);
    let setup = fixture.test.setup();
    let default = if setup.is_usual() && gears::second() {
        OPERATIONS
    } else {
        OPERATIONS_SHORT
    };
    let operations = setting("POSTROOM_MODEL_OPERATIONS", default);
    coverage::print_once(&format!("model: {setup}, seed {seed}"));
    let mut run = ModelRun {
        reference: Reference::new(policy()),
        generator: Generator::new(seed, "model"),
        ids: SequentialIds::default(),
        store: fixture.store_with(policy()).await,
        replica: fixture.store_with(policy()).await,
        tally: OutcomeTally::default(),
        fixture,
    };
    run.open_all().await;
    let (mut done, mut next_comparison) = (0, COMPARE_ALL_AFTER);
    while done < operations {
        done += run.step().await;
        run.compare().glance().await;
        if done >= next_comparison {
            run.compare().everything().await;
            next_comparison += COMPARE_ALL_AFTER;
        }
    }
    run.compare().everything().await;
    if operations >= OPERATIONS {
        run.tally.assert_not_blind();
        for what in MET {
            let times = run.reference.met(what);
            assert!(times >= tally::OFTEN, "{what} only {times} times");
        }
    }
    let recount = drift::assert_none(&*run.store).await;
    assert_eq!(recount.entries, run.reference.entries_in_all() as u64);
    coverage::print_once(&format!(
        "model: {setup}, {done} operations, {} entries, drift 0",
        recount.entries
    ));
    run.store.close().await;
    run.replica.close().await;
}

struct ModelRun<'a> {
    reference: Reference,
    generator: Generator,
    /// The ids that the store is going to make.
    ids: SequentialIds,
    store: BatchStore,
    /// A second store on the same database.
    replica: BatchStore,
    tally: OutcomeTally,
    fixture: &'a StoreFixture,
}

impl ModelRun<'_> {
    /// Creates the mailboxes of all profiles, so that no refused send creates one.
    async fn open_all(&mut self) {
        let now = self.fixture.clock().now_ms();
        for app in self.generator.apps() {
            for owner in self.generator.profiles() {
                self.arrive(&app, owner, now).await;
            }
        }
    }

    async fn arrive(&mut self, app: &AppId, owner: ProfileId, now: Millis) {
        let generated = GeneratedOperation {
            app: app.clone(),
            request: None,
            action: ReferenceAction::Act(Action::CreateMailbox(CreateMailbox { owner })),
        };
        let verdict = self.store.run(app, generated.operation()).await;
        assert_eq!(verdict, self.foretell(&generated, now));
    }

    /// Side events: new mailboxes and sweeps.
    async fn aside(&mut self) {
        let now = self.fixture.clock().now_ms();
        if self.generator.one_in(20)
            && let Some((app, owner)) = self.generator.newcomer()
        {
            self.arrive(&app, owner, now).await;
        }
        // Rarely: it settles the senders of forgotten messages, which leaves less to be settled late.
        if self.generator.one_in(60) {
            while self.store.expire_due().await.expect("a sweep") {}
            self.reference.sweep(now);
        }
    }

    /// Executes one operation or a batch, and returns the number of operations.
    async fn step(&mut self) -> u64 {
        let size = if self.generator.one_in(3) {
            self.generator.number(2..=BATCH_MAX)
        } else {
            1
        };
        let now = self.fixture.clock().now_ms();
        let (mut expected, mut batch) = (Vec::new(), Vec::new());
        // A batch creates the mailboxes that are allowed when it begins.
        let mut strict = self.generator.apps();
        for _ in 0..size {
            strict.retain(|app| {
                let settings = self.reference.settings(app);
                settings.allow_unknown_recipients == Some(false)
            });
            self.generator.note_strict(strict.clone());
            let generated = self.generator.generated();
            // Those after it would see it, or not, as the batches fall.
            let is_last = self
                .reference
                .is_about_bulk(&generated.app, &generated.action);
            expected.push(self.foretell(&generated, now));
            batch.push((generated.app.clone(), generated.operation()));
            if is_last {
                break;
            }
        }
        let size = batch.len() as u64;
        if let [(app, operation)] = &batch[..] {
            let store = if self.generator.one_in(3) {
                &self.replica
            } else {
                &self.store
            };
            let verdict = store.run(app, operation.clone()).await;
            compare_verdicts(&batch, &[verdict], &expected);
        } else {
            let verdicts = self.carry_out(batch.clone()).await;
            compare_verdicts(&batch, &verdicts, &expected);
        }
        self.fixture.clock().advance(self.generator.leap_ms());
        self.aside().await;
        size
    }

    /// Executes a batch in one transaction or through the lanes. Several lanes keep no order, and
    /// one lane only that of small operations of one app that fit into one transaction or are of one
    /// actor; all others run one after another.
    async fn carry_out(&self, batch: Vec<(AppId, Operation)>) -> Vec<Result<Outcome, Refusal>> {
        let setup = self.fixture.test.setup();
        let call =
            async |(app, operation): (AppId, Operation)| self.store.run(&app, operation).await;
        match setup.backend {
            DatabaseKind::Sqlite => {
                let mut verdicts = Vec::new();
                let entries = batch.iter().map(|(_, it)| it.action.weight().entries);
                let fits = setup.is_usual() && entries.sum::<usize>() <= BATCH_ENTRIES_MAX;
                let has_order = |one: &(AppId, Operation), next: &(AppId, Operation)| {
                    let is_small = |it: &Operation| !it.action.weight().is_large();
                    let of_one = one.1.action.actor() == next.1.action.actor();
                    one.0 == next.0 && is_small(&one.1) && is_small(&next.1) && (of_one || fits)
                };
                for at_once in batch.chunk_by(has_order) {
                    verdicts.extend(join_all(at_once.iter().cloned().map(call)).await);
                }
                verdicts
            }
            DatabaseKind::Postgres if setup.is_usual() => self.store.batch(batch).await,
            DatabaseKind::Postgres => {
                let mut verdicts = Vec::new();
                for one in batch {
                    verdicts.push(call(one).await);
                }
                verdicts
            }
        }
    }

    /// Result that the reference predicts.
    fn foretell(
        &mut self,
        generated: &GeneratedOperation,
        now: Millis,
    ) -> Result<Outcome, Refusal> {
        let GeneratedOperation {
            app,
            request,
            action,
        } = generated;
        let verdict = self
            .reference
            .execute(app, *request, action, &self.ids, now);
        self.generator.learn(generated, &verdict);
        self.tally.add(&generated.action, &verdict);
        verdict
    }

    fn compare(&mut self) -> Comparison<'_> {
        Comparison {
            reference: &mut self.reference,
            generator: &mut self.generator,
            store: &self.store,
            replica: &self.replica,
            now: self.fixture.clock().now_ms(),
        }
    }
}

fn compare_verdicts(
    batch: &[(AppId, Operation)],
    actual: &[Result<Outcome, Refusal>],
    expected: &[Result<Outcome, Refusal>],
) {
    assert_eq!(actual.len(), expected.len());
    for ((asked, actual), expected) in batch.iter().zip(actual).zip(expected) {
        assert_eq!(actual, expected, "{asked:?}");
    }
}

/// Value of a variable of the run, or the default.
pub fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}: {text}")),
        Err(_) => default,
    }
}
