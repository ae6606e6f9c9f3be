//! Plans of all statements in `PostgreSQL`, whatever its statistics say.
//!
//! A look-up by key must cost as much as it has keys. Statistics may be missing, old, or about
//! other mailboxes; a connection may keep a plan from another time. So each statement of the
//! catalogue is planned in nine states of statistics, with 1, 20 and 500 keys, for given and for
//! any values.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use support::on_postgres;
use support::store::{Setup, TestDatabase, TestEnvironment};

use super::super::fixture::PLANNER_SETTINGS;
use super::catalogue::{CatalogueStatement, statements};
use super::faults::faults;
use super::parameters::{Parameters, parameters};
use super::states::{self, State};

on_postgres![
    plans_hold_without_statistics,
    plans_hold_once_many_boxes_of_one_message_were_analyzed,
    plans_hold_once_a_box_has_grown_since_it_was_analyzed,
    #[ignore = "second gear: six more states, seconds each"]
    plans_hold_once_an_empty_database_was_analyzed,
    #[ignore = "second gear: six more states, seconds each"]
    plans_hold_once_one_box_was_analyzed,
    #[ignore = "second gear: six more states, seconds each"]
    plans_hold_once_one_box_with_the_same_in_sent_was_analyzed,
    #[ignore = "second gear: six more states, seconds each"]
    plans_hold_once_many_boxes_were_analyzed,
    #[ignore = "second gear: six more states, seconds each"]
    plans_hold_after_a_mass_deletion,
    #[ignore = "second gear: six more states, seconds each"]
    plans_hold_once_a_mass_deletion_was_analyzed,
];

/// Numbers of keys.
const ROWS: [u128; 3] = [1, 20, 500];

const PLAN_MODES: [&str; 2] = ["force_custom_plan", "force_generic_plan"];

/// Statements that are not called for: a recount reads whole mailboxes, and nobody waits for it.
const LEFT_OUT: [&str; 2] = ["mailbox.recount", "mailbox.recount_one"];

/// Tables that have sixteen rows for each app at the most.
const SMALL: [&str; 5] = ["app.", "app_usage.", "server.", "lease.", "audit_head."];

/// Plans that a run has at least, so that it is known to have planned.
const PLANS_MIN: usize = 200;

/// A database without a store.
struct PlannedDatabase(TestDatabase);

impl TestEnvironment for PlannedDatabase {
    async fn open(setup: Setup) -> Self {
        Self(TestDatabase::new(setup.backend).await)
    }

    async fn end(self, _: bool) {
        self.0.remove().await;
    }
}

async fn plans_hold_without_statistics(database: &PlannedDatabase) {
    assert_plans(database, states::WITHOUT_STATISTICS).await;
}

async fn plans_hold_once_an_empty_database_was_analyzed(database: &PlannedDatabase) {
    assert_plans(database, states::ANALYZED_WHEN_EMPTY).await;
}

async fn plans_hold_once_one_box_was_analyzed(database: &PlannedDatabase) {
    assert_plans(database, states::ONE_BOX).await;
}

async fn plans_hold_once_one_box_with_the_same_in_sent_was_analyzed(database: &PlannedDatabase) {
    assert_plans(database, states::ONE_BOX_AND_THE_SAME_IN_SENT).await;
}

async fn plans_hold_once_many_boxes_were_analyzed(database: &PlannedDatabase) {
    assert_plans(database, states::ONE_AMONG_MANY).await;
}

async fn plans_hold_once_many_boxes_of_one_message_were_analyzed(database: &PlannedDatabase) {
    assert_plans(database, states::ONE_AMONG_MANY_OF_ONE_MESSAGE).await;
}

async fn plans_hold_once_a_box_has_grown_since_it_was_analyzed(database: &PlannedDatabase) {
    assert_plans(database, states::GROWN_SINCE_ANALYZED).await;
}

async fn plans_hold_after_a_mass_deletion(database: &PlannedDatabase) {
    assert_plans(database, states::DELETED_SINCE_ANALYZED).await;
}

async fn plans_hold_once_a_mass_deletion_was_analyzed(database: &PlannedDatabase) {
    assert_plans(database, states::ANALYZED_AFTER_DELETION).await;
}

async fn assert_plans(database: &PlannedDatabase, state: State) {
    let connection = PgConnection::connect(&database.0.url()).await;
    let mut connection = connection.expect("PostgreSQL is there");
    run(&mut connection, state.sql()).await;
    run(&mut connection, PLANNER_SETTINGS.to_owned()).await;
    let mut plans = 0;
    let mut bad = Vec::new();
    for statement in statements().iter().filter(|statement| looks_up(statement)) {
        for rows in ROWS {
            let parameters = parameters(&statement.text, rows);
            if rows > 1 && !parameters.is_batch {
                break;
            }
            for mode in PLAN_MODES {
                let plan = plan(&mut connection, mode, statement, &parameters).await;
                plans += 1;
                for fault in faults(&plan) {
                    bad.push(format!("{}, {rows} keys, {mode}: {fault}", statement.name));
                }
            }
        }
    }
    assert!(plans >= PLANS_MIN, "{plans} plans");
    assert!(bad.is_empty(), "{bad:#?}");
    connection.close().await.expect("an end");
}

/// True for a statement that looks rows up in tables that grow.
fn looks_up(statement: &CatalogueStatement) -> bool {
    let name = statement.name.as_str();
    let is_small = SMALL.iter().any(|table| name.starts_with(table));
    !is_small && !LEFT_OUT.contains(&name) && !statement.text.contains("INSERT INTO ")
}

async fn plan(
    connection: &mut PgConnection,
    mode: &str,
    statement: &CatalogueStatement,
    parameters: &Parameters,
) -> Vec<String> {
    let Parameters { types, values, .. } = parameters;
    let text = &statement.text;
    let prepare = format!(
        "DEALLOCATE ALL; SET plan_cache_mode = {mode}; PREPARE planned ({types}) AS {text}"
    );
    run(connection, prepare).await;
    let explain = AssertSqlSafe(format!("EXPLAIN EXECUTE planned ({values})"));
    let lines = connection.fetch_all(explain).await;
    let lines = lines.unwrap_or_else(|error| panic!("{}: {error}", statement.name));
    lines.iter().map(|row| sqlx::Row::get(row, 0)).collect()
}

async fn run(connection: &mut PgConnection, text: String) {
    let ran = sqlx::raw_sql(AssertSqlSafe(text.clone())).execute(connection);
    ran.await.unwrap_or_else(|error| panic!("{text}: {error}"));
}
