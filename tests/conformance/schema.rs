//! Versions of the schema.

use storage_sql::{OpenError, migrate_status, migrate_up, open};
use support::on_each_database;

use super::fixture::StoreFixture;

on_each_database![
    a_schema_of_a_newer_program_is_refused_and_left_alone,
    a_schema_that_is_up_to_date_stays_as_it_is,
];

async fn a_schema_of_a_newer_program_is_refused_and_left_alone(fixture: &StoreFixture) {
    let options = &fixture.test.options;
    let raw = fixture.raw().await;
    raw.run(
        "INSERT INTO _sqlx_migrations
             (version, description, installed_on, success, checksum, execution_time)
         SELECT 999, 'from the future', installed_on, success, checksum, execution_time
         FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    for refused in [open(options).await.map(drop), migrate_up(options).await] {
        let error = refused.expect_err("refused");
        assert!(
            matches!(error, OpenError::TooNew { found: 999, .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains("needs a newer program"));
    }
    let status = migrate_status(options).await.expect("a status");
    let last = status.last().expect("a step");
    assert_eq!((last.version, last.applied), (999, true));
}

async fn a_schema_that_is_up_to_date_stays_as_it_is(fixture: &StoreFixture) {
    let options = &fixture.test.options;
    let before = migrate_status(options).await.expect("a status");
    assert!(before.iter().all(|step| step.applied));
    migrate_up(options).await.expect("nothing to do");
    let after = migrate_status(options).await.expect("a status");
    assert_eq!(before, after);
}
