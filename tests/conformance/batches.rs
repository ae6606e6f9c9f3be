//! A batch is its operations one by one, and more than that only in one transaction.

use std::sync::Arc;

use domain::limits::BATCH_OPERATIONS_MAX;
use domain::operation::CreateMailbox;
use domain::{Action, AppId, Operation, Outcome, Refusal};
use storage_sql::Options;
use support::ids::SequentialIds;
use support::on_each_database;

use super::builders::{app, nobodys, operation, other_app, send, sent, update};
use super::fixture::{BatchStore, StoreFixture};
use crate::model::generator::Generator;
use crate::model::policy;
use crate::model::reference::{Reference, ReferenceAction};

on_each_database![
    a_batch_equals_its_operations_one_by_one,
    a_refused_operation_leaves_the_rest_of_its_batch_untouched,
    an_empty_batch_succeeds,
];

type OperationBatch = Vec<(AppId, Operation)>;

/// Equal random operations for two groups of apps with different names.
struct TwinApps {
    generator: [Generator; 2],
    references: [Reference; 2],
    ids: [SequentialIds; 2],
}

const NAMES: [&str; 2] = ["at-once", "one-by-one"];

impl TwinApps {
    fn new() -> Self {
        Self {
            generator: NAMES.map(|name| Generator::new(7, name)),
            references: NAMES.map(|_| Reference::new(policy())),
            ids: NAMES.map(|_| SequentialIds::default()),
        }
    }

    /// Creates the mailboxes of all profiles: others go as soon as they are empty, which in a batch is
    /// at its end.
    async fn open_all(&mut self, fixture: &StoreFixture, stores: [&BatchStore; 2]) {
        let now = fixture.clock().now_ms();
        for (twin, store) in stores.into_iter().enumerate() {
            let generator = &self.generator[twin];
            for app in generator.apps() {
                for owner in generator.profiles() {
                    let action = Action::CreateMailbox(CreateMailbox { owner });
                    let (ids, reference) = (&self.ids[twin], &mut self.references[twin]);
                    let opened = ReferenceAction::Act(action.clone());
                    let expected = reference.execute(&app, None, &opened, ids, now);
                    assert_eq!(store.run(&app, operation(action)).await, expected);
                }
            }
        }
    }

    fn next(&mut self, fixture: &StoreFixture, size: usize) -> [OperationBatch; 2] {
        let now = fixture.clock().now_ms();
        let mut batches = [OperationBatch::new(), OperationBatch::new()];
        for (twin, batch) in batches.iter_mut().enumerate() {
            let generator = &mut self.generator[twin];
            for _ in 0..size {
                let reference = &mut self.references[twin];
                // What is sent to everyone is seen by the next batch.
                let generated = loop {
                    let generated = generator.generated();
                    if !reference.is_about_bulk(&generated.app, &generated.action) {
                        break generated;
                    }
                };
                let verdict = reference.execute(
                    &generated.app,
                    generated.request,
                    &generated.action,
                    &self.ids[twin],
                    now,
                );
                generator.learn(&generated, &verdict);
                batch.push((generated.app.clone(), generated.operation()));
            }
        }
        batches
    }
}

/// A store whose ids begin at the beginning.
async fn twin_store(fixture: &StoreFixture) -> BatchStore {
    let options = Options {
        policy: policy(),
        ids: Arc::new(SequentialIds::default()),
        ..fixture.test.options.clone()
    };
    fixture.store_of(&options).await
}

async fn a_batch_equals_its_operations_one_by_one(fixture: &StoreFixture) {
    let [at_once, one_by_one] = [twin_store(fixture).await, twin_store(fixture).await];
    let mut twins = TwinApps::new();
    twins.open_all(fixture, [&at_once, &one_by_one]).await;
    let (mut refusals, mut stored) = (0, Vec::new());
    for _ in 0..4 {
        let [batch, same] = twins.next(fixture, BATCH_OPERATIONS_MAX);
        let verdicts = at_once.batch(batch).await;
        let mut expected: Vec<Result<Outcome, Refusal>> = Vec::new();
        for (app, operation) in same {
            expected.push(one_by_one.run(&app, operation).await);
        }
        assert_eq!(verdicts, expected);
        refusals += verdicts.iter().filter(|verdict| verdict.is_err()).count();
        fixture.clock().advance(1_000);

        let raw = fixture.raw().await;
        stored = raw.everything(NAMES[0]).await;
        compare(&stored, &raw.everything(NAMES[1]).await);
    }
    assert!(stored.iter().any(|line| is_tombstone(line)));
    assert!(refusals > 50, "there were only {refusals} refusals");
    at_once.close().await;
    one_by_one.close().await;
}

fn is_tombstone(line: &str) -> bool {
    line.contains(" tombstone ")
}

/// Compares the rows of both groups. An entry created and deleted in one batch leaves no
/// tombstone.
fn compare(at_once: &[String], one_by_one: &[String]) {
    let lost: Vec<_> = one_by_one
        .iter()
        .filter(|line| !is_tombstone(line) && !at_once.contains(line))
        .collect();
    let added: Vec<_> = at_once
        .iter()
        .filter(|line| !one_by_one.contains(line))
        .collect();
    assert!(lost.is_empty() && added.is_empty(), "{lost:#?} {added:#?}");
}

async fn a_refused_operation_leaves_the_rest_of_its_batch_untouched(fixture: &StoreFixture) {
    let (here, there) = (app(), other_app("there"));
    let batch = vec![
        (here.clone(), operation(send("ann", &["bob"]))),
        (here.clone(), operation(update(nobodys(), "new", None))),
        (there.clone(), operation(send("ann", &["bob"]))),
        (there.clone(), operation(update(nobodys(), "new", None))),
        (here.clone(), operation(send("bob", &["ann"]))),
    ];
    let verdicts = fixture.store.batch(batch).await;
    for index in [1, 3] {
        assert_eq!(verdicts[index], Err(Refusal::NotFound));
    }
    let messages = [0, 2, 4].map(|index: usize| sent(verdicts[index].clone()));
    assert!(messages.is_sorted());
    assert_eq!(fixture.counts("ann").await, (1, 1, 1));
    assert_eq!(fixture.counts_in(&there, "bob").await, (1, 1, 0));
}

async fn an_empty_batch_succeeds(fixture: &StoreFixture) {
    assert_eq!(fixture.store.batch(Vec::new()).await, []);
}
