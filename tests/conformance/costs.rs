//! Costs of operations.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use domain::limits::PART_ENTRIES;
use domain::page::{Criteria, Scan};
use domain::{Action, Msgbox};
use storage::{Budget, Charge, Cost, CostAccount};
use support::on_each_database;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::builders::{app, clear, edit, from_user, mark, operation, profile, recall, text};
use super::fixture::{IN_TIME, StoreFixture, in_time};
use super::page_offsets::everything;
use super::parts::fill;

on_each_database![
    an_operation_costs_the_entries_that_it_changes,
    an_operation_without_effect_costs_the_rows_that_it_looks_at,
    an_operation_in_parts_is_charged_for_each,
    an_operation_is_charged_after_its_caller_has_gone,
    a_page_tells_the_rows_that_it_and_its_count_examine,
];

/// Entries of a box that takes several transactions.
const ENTRIES: usize = 6 * PART_ENTRIES + 7;
const PAUSE: Duration = Duration::from_millis(5);

/// Account that adds up what it is charged.
#[derive(Default)]
struct Sums(Mutex<(usize, usize)>);

impl Charge for Sums {
    fn charge(&self, cost: Cost) {
        let mut sums = self.0.lock().expect("no panic");
        match cost {
            Cost::Entries(entries) => sums.0 += entries,
            Cost::Rows(rows) => sums.1 += rows,
            Cost::Bytes(_) => panic!("an operation has no answer"),
        }
    }
}

impl Sums {
    fn entries(&self) -> usize {
        self.0.lock().expect("no panic").0
    }

    fn rows(&self) -> usize {
        self.0.lock().expect("no panic").1
    }
}

fn charged_to(sums: &Arc<Sums>) -> Budget {
    Budget {
        deadline: in_time(),
        account: CostAccount::of(sums.clone()),
        audit: None,
    }
}

/// Executes an action, whatever comes of it, and returns its cost.
async fn cost(fixture: &StoreFixture, action: impl Into<Action>) -> Arc<Sums> {
    let sums = Arc::<Sums>::default();
    let operation = operation(action.into());
    let _ = fixture
        .store
        .execute(&app(), operation, charged_to(&sums))
        .await;
    sums
}

async fn an_operation_costs_the_entries_that_it_changes(fixture: &StoreFixture) {
    let holders: Vec<String> = (0..30).map(|number| format!("b{number}")).collect();
    let to: Vec<&str> = holders.iter().map(String::as_str).collect();
    let sends = cost(fixture, from_user("ann", &to, text("hello"))).await;
    assert_eq!(sends.entries(), 31);

    let message = fixture.send("ann", &to).await;
    assert_eq!(
        cost(fixture, mark("b0", &[message], true)).await.entries(),
        1
    );
    assert_eq!(
        cost(fixture, edit("ann", message, "news")).await.entries(),
        31
    );
    assert_eq!(
        cost(fixture, recall("ann", Msgbox::Sent, &[message]))
            .await
            .entries(),
        31
    );
}

async fn an_operation_without_effect_costs_the_rows_that_it_looks_at(fixture: &StoreFixture) {
    let mut messages = Vec::new();
    for _ in 0..5 {
        messages.push(fixture.send("ann", &["bob"]).await);
    }
    let marks = cost(fixture, mark("bob", &messages, false)).await;
    assert_eq!((marks.entries(), marks.rows()), (0, 5));
}

async fn an_operation_in_parts_is_charged_for_each(fixture: &StoreFixture) {
    fill(fixture, ENTRIES).await;
    let clears = cost(fixture, clear("b", Msgbox::Inbox)).await;
    assert_eq!(clears.entries(), ENTRIES);
}

async fn a_page_tells_the_rows_that_it_and_its_count_examine(fixture: &StoreFixture) {
    const MESSAGES: usize = 40;
    fill(fixture, MESSAGES).await;
    let scan = Scan {
        rows: 10,
        ..everything()
    };
    assert_eq!(fixture.page("b", &scan).await.examined, 11);
    let unmatched = Scan {
        criteria: Criteria {
            sender: Some(profile("nobody")),
            ..Criteria::default()
        },
        ..scan
    };
    assert_eq!(fixture.page("b", &unmatched).await.examined, MESSAGES);
    let counted = Scan {
        count: true,
        ..unmatched
    };
    assert_eq!(fixture.page("b", &counted).await.examined, 2 * MESSAGES);
}

/// Account whose first charge ends the task of the caller.
#[derive(Default)]
struct EndsCaller {
    sums: Sums,
    caller: OnceLock<AbortHandle>,
}

impl Charge for EndsCaller {
    fn charge(&self, cost: Cost) {
        if let Some(caller) = self.caller.get() {
            caller.abort();
        }
        self.sums.charge(cost);
    }
}

async fn an_operation_is_charged_after_its_caller_has_gone(fixture: &StoreFixture) {
    fill(fixture, ENTRIES).await;
    let account = Arc::<EndsCaller>::default();
    let budget = Budget {
        deadline: in_time(),
        account: CostAccount::of(account.clone()),
        audit: None,
    };
    let store = fixture.store.clone();
    let caller = tokio::spawn(async move {
        let clears = operation(clear("b", Msgbox::Inbox));
        store.execute(&app(), clears, budget).await
    });
    let _ = account.caller.set(caller.abort_handle());
    let ended = caller.await;
    assert!(ended.is_err_and(|error| error.is_cancelled()));
    let all_charged = async {
        while account.sums.entries() < ENTRIES {
            sleep(PAUSE).await;
        }
    };
    let charged = timeout(IN_TIME, all_charged).await;
    charged.unwrap_or_else(|_| panic!("{} entries", account.sums.entries()));
}
