//! Clients that keep a copy of a mailbox: they read pages in any order, poll, stream, lose answers,
//! and are told to resync, between random operations. In the end each has what its boxes have.
//!
//! `POSTROOM_SYNC_SEED` and `POSTROOM_SYNC_CASES` choose another run than the usual one.

mod client;
mod copy;
mod pages;

use std::ops::Deref;

use domain::operation::TrimTombstones;
use domain::{Action, AppId, Operation, Outcome, Policy, Quotas};
use storage::Error;
use support::service::TestService;
use support::store::{Fixture, Setup, TestStore};
use support::{coverage, on_each_database};

use crate::conformance::fixture::in_time;
use crate::model::generator::Generator;
use crate::model::{policy, setting};
use client::{StepTally, SyncedClient};

const SEED: u64 = 20_260_103;
/// Cases of a run in the first gear.
const CASES_SHORT: u64 = 200;
/// Cases of a run in the second gear.
const CASES: u64 = 10_000;
/// Operations between two steps of every client, at the most.
const OPERATIONS_MAX: u64 = 100;
/// Steps of every client in a case, at the most.
const STEPS_MAX: u64 = 6;

on_each_database![
    a_client_equals_its_boxes_after_reads_in_any_order,
    #[ignore = "second gear: takes minutes"]
    clients_equal_their_boxes_in_many_cases,
];

/// The service with small boxes, which overflow now and then.
struct OverflowingBoxes(TestService);

impl Fixture for OverflowingBoxes {
    async fn open(setup: Setup) -> Self {
        let policy = Policy {
            quotas: Quotas::NO_LIMITS,
            ..policy()
        };
        Self(TestService::over(TestStore::open_with(setup, policy).await).await)
    }

    fn into_store(self) -> TestStore {
        self.0.store
    }
}

impl Deref for OverflowingBoxes {
    type Target = TestService;

    fn deref(&self) -> &TestService {
        &self.0
    }
}

async fn a_client_equals_its_boxes_after_reads_in_any_order(test: &OverflowingBoxes) {
    run(test, CASES_SHORT).await;
}

async fn clients_equal_their_boxes_in_many_cases(test: &OverflowingBoxes) {
    run(test, CASES).await;
}

/// Runs as many cases: in each, a client does some steps, catches up, and is compared.
async fn run(test: &TestService, cases: u64) {
    let seed = setting("POSTROOM_SYNC_SEED", SEED);
    let cases = setting("POSTROOM_SYNC_CASES", cases);
    let setup = test.store.setup();
    coverage::print_once(&format!("clients: {setup}, seed {seed}"));
    let mut generator = Generator::new(seed, "sync");
    let mut clients = Vec::new();
    for app in generator.apps() {
        for owner in generator.profiles() {
            let seed = seed + clients.len() as u64;
            clients.push(SyncedClient::new(app.clone(), owner, seed));
        }
    }
    let mut done = 0;
    while done < cases {
        for _ in 0..generator.number(1..=STEPS_MAX) {
            operate(test, &mut generator).await;
            for client in &mut clients {
                client.step(test).await;
            }
        }
        for client in &mut clients {
            client.finish(test).await;
            client.compare(test).await;
        }
        done += clients.len() as u64;
    }
    let mut tally = StepTally::new();
    for (what, count) in clients.iter().flat_map(|client| &client.tally) {
        *tally.entry(what).or_default() += count;
    }
    coverage::print_once(&format!("clients: {setup}, {done} cases, {tally:?}"));
    for what in client::DONE {
        assert!(tally.contains_key(what), "no {what}: {tally:?}");
    }
}

/// Executes random operations, lets time pass, and now and then trims the tombstones of a mailbox
/// or begins a new epoch.
async fn operate(test: &TestService, generator: &mut Generator) {
    for _ in 0..generator.number(0..=OPERATIONS_MAX) {
        let generated = generator.generated();
        if let Some(outcome) = execute(test, &generated.app, generated.operation()).await {
            generator.learn(&generated, &Ok(outcome));
        }
    }
    test.store.clock.advance(generator.leap_ms());
    for _ in 0..generator.number(0..=4) {
        let (apps, profiles) = (generator.apps(), generator.profiles());
        let trim = Action::TrimTombstones(TrimTombstones {
            owner: generator.one_of(&profiles),
            seq: i64::MAX,
        });
        let operation = Operation {
            request: None,
            action: trim,
        };
        execute(test, &generator.one_of(&apps), operation).await;
    }
    if generator.one_in(20) {
        test.store.store.new_epoch().await.expect("a new epoch");
    }
}

/// Executes an operation; none if it is refused.
async fn execute(test: &TestService, app: &AppId, operation: Operation) -> Option<Outcome> {
    let store = &test.store.store;
    match store.execute_action(app, operation, in_time().into()).await {
        Ok(outcome) => Some(outcome),
        Err(Error::Refused(_)) => None,
        Err(error) => panic!("{error:?}"),
    }
}
