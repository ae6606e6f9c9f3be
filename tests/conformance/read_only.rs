//! A database that accepts no writes for a while, as during a fail-over.

use storage::Error;
use support::on_setup;

use super::builders::{app, operation, send, sent};
use super::fixture::{StoreFixture, in_time};

on_setup!(
    postgres,
    support::store::DatabaseKind::Postgres,
    [sessions_opened_read_only_are_closed_at_their_first_write]
);

async fn sessions_opened_read_only_are_closed_at_their_first_write(fixture: &StoreFixture) {
    let raw = fixture.raw().await;
    let send = || operation(send("ann", &["bob"]));
    sent(fixture.store.run(&app(), send()).await);
    raw.run(&set_read_only("SET default_transaction_read_only = on"))
        .await;
    raw.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .await;
    for _ in 0..3 {
        let refused = fixture.store.execute(&app(), send(), in_time()).await;
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    }
    raw.run(&set_read_only("RESET default_transaction_read_only"))
        .await;
    // Reads and housekeeping opened some of these in the window, too.
    let sessions = raw.backends().await;
    let mut refused = 0;
    while let Err(error) = fixture.store.execute(&app(), send(), in_time()).await {
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        refused += 1;
        assert!(refused <= sessions, "a session of the window is still used");
    }
}

/// `BEGIN READ WRITE`: the session may be one of those that were opened read-only.
fn set_read_only(change: &str) -> String {
    format!(
        "BEGIN READ WRITE;
         DO $$ BEGIN
             EXECUTE format('ALTER DATABASE %I {change}', current_database());
         END $$;
         COMMIT"
    )
}
