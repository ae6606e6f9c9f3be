//! Versions of the schema.

use storage_sql::{OpenError, Options, Unsuitable, migrate_status, migrate_up, open};
use support::on_each_database;

use super::builders::{app, operation, send};
use super::fixture::StoreFixture;

on_each_database![
    a_schema_of_a_newer_program_is_refused_and_left_alone,
    a_schema_that_is_up_to_date_stays_as_it_is,
];

mod requirements {
    use super::*;

    support::on_postgres![
        a_database_of_another_encoding_is_refused,
        a_table_distributed_by_rows_is_refused,
        a_write_is_read_committed_under_another_default_of_the_database,
    ];
}

/// Error of opening a database, which is that of its migration, too.
async fn refusal(options: &Options) -> OpenError {
    let migrated = migrate_up(options).await.expect_err("refused");
    let opened = open(options).await.map(drop).expect_err("refused");
    assert_eq!(migrated.to_string(), opened.to_string());
    opened
}

async fn a_database_of_another_encoding_is_refused(_: &StoreFixture) {
    for encoding in ["SQL_ASCII", "LATIN1"] {
        let create = format!("ENCODING '{encoding}' LOCALE_PROVIDER libc LOCALE 'C'");
        let database = support::postgres::shared().empty_database(&create).await;
        let error = refusal(&Options::new(database.url.clone())).await;
        assert!(
            matches!(&error, OpenError::Unsuitable(Unsuitable::Encoding { found }) if found == encoding),
            "{error:?}"
        );
        assert!(error.to_string().contains("needs UTF8"), "{error}");
        database.remove().await;
    }
}

/// With a look-alike of the catalogue of Citus.
async fn a_table_distributed_by_rows_is_refused(fixture: &StoreFixture) {
    let (options, raw) = (&fixture.test.options, fixture.raw().await);
    raw.run(
        "CREATE TABLE pg_dist_partition (logicalrelid regclass, partmethod \"char\");
         INSERT INTO pg_dist_partition (logicalrelid, partmethod)
             VALUES ('mailbox', 'n'), ('message', 'n')",
    )
    .await;
    open(options).await.expect("held whole").close().await;
    raw.run(
        "CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.msgbox ();
         INSERT INTO pg_dist_partition (logicalrelid, partmethod)
             VALUES ('elsewhere.msgbox', 'h')",
    )
    .await;
    open(options).await.expect("another schema").close().await;
    raw.run(
        "UPDATE pg_dist_partition SET partmethod = 'h' WHERE logicalrelid = 'message'::regclass",
    )
    .await;
    let error = refusal(options).await;
    assert!(
        matches!(&error, OpenError::Unsuitable(Unsuitable::Distributed { table }) if table == "message"),
        "{error:?}"
    );
}

async fn a_write_is_read_committed_under_another_default_of_the_database(fixture: &StoreFixture) {
    let raw = fixture.raw().await;
    raw.run(
        "CREATE FUNCTION check_isolation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF current_setting('transaction_isolation') <> 'read committed' THEN
                 RAISE EXCEPTION 'isolation';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER check_isolation BEFORE INSERT ON message
             FOR EACH ROW EXECUTE FUNCTION check_isolation();
         DO $$ BEGIN EXECUTE format(
             'ALTER DATABASE %I SET default_transaction_isolation = serializable',
             current_database()
         ); END $$",
    )
    .await;
    let store = fixture.replica().await;
    let sent = store.run(&app(), operation(send("ann", &["bob"]))).await;
    assert!(sent.is_ok(), "{sent:?}");
    store.close().await;
}

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
