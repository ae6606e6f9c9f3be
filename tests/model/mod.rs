//! Random operations: each database does what the reference does, refusals and all.
//!
//! `POSTROOM_MODEL_SEED` and `POSTROOM_MODEL_OPERATIONS` choose another run than the usual
//! one.

mod comparison;
pub mod dice;
pub mod reference;
mod tally;

use domain::operation::Open;
use domain::{Action, AppId, Millis, Operation, Outcome, Policy, ProfileId, Refusal, Violations};
use futures::future::join_all;
use storage::Clock;
use support::ids::SequentialIds;
use support::store::Backend;
use support::{coverage, drift, however_gathered};

use crate::conformance::bench::{Bench, Store};
use comparison::Comparison;
use dice::{Dice, Wish};
use reference::{Deed, Reference};
use tally::Tally;

const SEED: u64 = 20_260_101;
const OPERATIONS: u64 = 10_000;
/// As many where writes are gathered in another way than usual.
const OPERATIONS_UNUSUAL: u64 = 1_500;
/// Operations in a batch at the most.
const BATCH_MAX: u64 = 60;
/// What must have happened to mailboxes when they settled.
const MET: [&str; 7] = [
    "expired",
    "taken",
    "taken by a newcomer",
    "taken in a later version",
    "updated",
    "recalled",
    "recalled unseen",
];
/// How often everything is compared: after so many operations.
const COMPARE_ALL_AFTER: u64 = 2_500;

however_gathered![random_operations_do_what_the_reference_does];

/// Small boxes, so that they are full now and then.
pub fn policy() -> Policy {
    Policy {
        max_box_messages: 10,
        max_recipients: 5,
        ..Policy::default()
    }
}

async fn random_operations_do_what_the_reference_does(bench: &Bench) {
    let seed = setting("POSTROOM_MODEL_SEED", SEED);
    let setup = bench.test.setup();
    let usual = if setup.is_usual() {
        OPERATIONS
    } else {
        OPERATIONS_UNUSUAL
    };
    let operations = setting("POSTROOM_MODEL_OPERATIONS", usual);
    coverage::print_once(&format!("model: {setup}, seed {seed}"));
    let mut run = Run {
        reference: Reference::new(policy()),
        dice: Dice::new(seed, "model"),
        ids: SequentialIds::default(),
        store: bench.store_with(policy()).await,
        replica: bench.store_with(policy()).await,
        tally: Tally::default(),
        bench,
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

struct Run<'a> {
    reference: Reference,
    dice: Dice,
    /// The ids that the store is going to make.
    ids: SequentialIds,
    store: Store,
    /// Another store on the same database.
    replica: Store,
    tally: Tally,
    bench: &'a Bench,
}

impl Run<'_> {
    /// Most come at once, and the others by a deed: so no mailbox begins by a letter that is
    /// refused.
    async fn open_all(&mut self) {
        let now = self.bench.clock().now_ms();
        for app in self.dice.apps() {
            for owner in self.dice.profiles() {
                self.arrive(&app, owner, now).await;
            }
        }
    }

    async fn arrive(&mut self, app: &AppId, owner: ProfileId, now: Millis) {
        let wish = Wish {
            app: app.clone(),
            request: None,
            deed: Deed::Act(Action::Open(Open { owner })),
        };
        let verdict = self.store.run(app, wish.operation()).await;
        assert_eq!(verdict, self.foretell(&wish, now));
    }

    /// What happens beside the operations: somebody comes, somebody sweeps.
    async fn aside(&mut self) {
        let now = self.bench.clock().now_ms();
        if self.dice.one_in(20)
            && let Some((app, owner)) = self.dice.newcomer()
        {
            self.arrive(&app, owner, now).await;
        }
        if self.dice.one_in(20) {
            while self.store.sweep().await.expect("a sweep") {}
            self.reference.sweep(now);
        }
    }

    /// One operation, or a batch of them; how many.
    async fn step(&mut self) -> u64 {
        let size = if self.dice.one_in(3) {
            self.dice.number(2..=BATCH_MAX)
        } else {
            1
        };
        let now = self.bench.clock().now_ms();
        let (mut expected, mut batch) = (Vec::new(), Vec::new());
        for _ in 0..size {
            let wish = self.dice.wish();
            // Those after it would see it, or not, as the batches fall.
            let is_last = self.reference.is_about_bulk(&wish.app, &wish.deed);
            expected.push(self.foretell(&wish, now));
            batch.push((wish.app.clone(), wish.operation()));
            if is_last {
                break;
            }
        }
        let size = batch.len() as u64;
        if let [(app, operation)] = &batch[..] {
            let store = if self.dice.one_in(3) {
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
        self.bench.clock().advance(self.dice.leap_ms());
        self.aside().await;
        size
    }

    /// In one transaction, or as the lanes gather it. What several lanes are asked at once has
    /// no order, and in one lane only small things of one app have: others are asked in turn.
    async fn carry_out(&self, batch: Vec<(AppId, Operation)>) -> Vec<Result<Outcome, Refusal>> {
        let setup = self.bench.test.setup();
        let call =
            async |(app, operation): (AppId, Operation)| self.store.run(&app, operation).await;
        match setup.backend {
            Backend::Sqlite => {
                let mut verdicts = Vec::new();
                let has_order = |one: &(AppId, Operation), next: &(AppId, Operation)| {
                    let is_small = |it: &Operation| !it.weight().is_large();
                    one.0 == next.0 && is_small(&one.1) && is_small(&next.1)
                };
                for at_once in batch.chunk_by(has_order) {
                    verdicts.extend(join_all(at_once.iter().cloned().map(call)).await);
                }
                verdicts
            }
            Backend::Postgres if setup.is_usual() => self.store.batch(batch).await,
            Backend::Postgres => {
                let mut verdicts = Vec::new();
                for one in batch {
                    verdicts.push(call(one).await);
                }
                verdicts
            }
        }
    }

    /// What the store is going to say.
    fn foretell(&mut self, wish: &Wish, now: Millis) -> Result<Outcome, Refusal> {
        let Wish { app, request, deed } = wish;
        let message_id = wish.message_id(&self.ids, now);
        let verdict = self.reference.execute(app, *request, deed, message_id, now);
        self.dice.learn(wish, &verdict);
        self.tally.add(&wish.deed, &verdict);
        verdict
    }

    fn compare(&mut self) -> Comparison<'_> {
        Comparison {
            reference: &mut self.reference,
            dice: &mut self.dice,
            store: &self.store,
            replica: &self.replica,
            now: self.bench.clock().now_ms(),
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
        assert_eq!(&wordless(actual), expected, "{asked:?}");
    }
}

/// A verdict without the words that people read.
fn wordless(verdict: &Result<Outcome, Refusal>) -> Result<Outcome, Refusal> {
    let Err(Refusal::Invalid(violations)) = verdict else {
        return verdict.clone();
    };
    let mut wordless = Violations::none();
    for violation in violations.as_slice() {
        wordless.add(violation.field.clone(), violation.reason, "");
    }
    Err(Refusal::Invalid(wordless))
}

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}: {text}")),
        Err(_) => default,
    }
}
