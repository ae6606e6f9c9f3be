//! Commits and notifications. Lost commits are tested in `torture`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use storage::{ChangeListener, Error, MailboxHead};
use storage_sql::Options;
use support::however_gathered;

use super::builders::{app, operation, repeatable, send, sent};
use super::fixture::{StoreFixture, in_time};

however_gathered![
    a_failed_commit_is_an_error_and_the_next_one_succeeds,
    listeners_are_notified_after_the_commit,
];

/// Counts the mailboxes that are reported as changed.
#[derive(Default)]
struct NotificationCount(AtomicUsize);

impl ChangeListener for NotificationCount {
    fn on_changed(&self, heads: &[MailboxHead]) {
        self.0.fetch_add(heads.len(), Ordering::SeqCst);
    }

    fn on_hints_lost(&self) {}

    fn on_database_replaced(&self) {}
}

async fn listeners_are_notified_after_the_commit(fixture: &StoreFixture) {
    let heard = Arc::new(NotificationCount::default());
    let options = Options {
        listener: heard.clone(),
        ..fixture.test.options.clone()
    };
    let store = fixture.store_of(&options).await;
    let raw = fixture.raw().await;
    raw.break_commits().await;
    let send = || operation(send("ann", &["bob", "cid"]));
    let answer = store.execute(&app(), send(), in_time()).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(heard.0.load(Ordering::SeqCst), 0);
    raw.mend_commits().await;
    sent(store.run(&app(), send()).await);
    assert_eq!(heard.0.load(Ordering::SeqCst), 3);
    store.close().await;
}

async fn a_failed_commit_is_an_error_and_the_next_one_succeeds(fixture: &StoreFixture) {
    let raw = fixture.raw().await;
    fixture.send("ann", &["bob"]).await;
    let before = raw.everything("app").await;
    for round in 0..3 {
        raw.break_commits().await;
        let operation = repeatable(&format!("round-{round}"), 1, send("ann", &["bob", "cid"]));
        // Oftener than there are connections.
        for _ in 0..6 {
            let answer = fixture
                .store
                .execute(&app(), operation.clone(), in_time())
                .await;
            let failed = matches!(answer, Err(Error::Unknown(_) | Error::Unavailable(_)));
            assert!(failed, "{answer:?}");
        }
        assert_eq!(fixture.counts("bob").await, (1 + round, 1 + round, 0));
        raw.mend_commits().await;
        sent(fixture.execute(&app(), operation).await);
    }
    let messages = |lines: &[String]| {
        let of_them = lines.iter().filter(|line| line.starts_with(" message"));
        of_them.count()
    };
    let after = raw.everything("app").await;
    assert_eq!(messages(&after), messages(&before) + 3);
}
