//! Nobody is told anything before it is durable. What becomes of a commit whose answer is
//! lost is among the tests of `torture`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use storage::{Error, Head, Wake};
use storage_sql::Options;
use support::however_gathered;

use super::bench::{Bench, in_time};
use super::words::{app, operation, repeatable, send, sent};

however_gathered![
    a_commit_that_fails_is_no_answer_and_the_next_one_works,
    nobody_hears_of_a_change_before_its_commit,
];

/// Counts the mailboxes that are said to have changed.
#[derive(Default)]
struct Heard(AtomicUsize);

impl Wake for Heard {
    fn changed(&self, heads: &[Head]) {
        self.0.fetch_add(heads.len(), Ordering::SeqCst);
    }

    fn lost(&self) {}

    fn replaced(&self) {}
}

async fn nobody_hears_of_a_change_before_its_commit(bench: &Bench) {
    let heard = Arc::new(Heard::default());
    let options = Options {
        wake: heard.clone(),
        ..bench.test.options.clone()
    };
    let store = bench.store_of(&options).await;
    let raw = bench.raw().await;
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

async fn a_commit_that_fails_is_no_answer_and_the_next_one_works(bench: &Bench) {
    let raw = bench.raw().await;
    bench.send("ann", &["bob"]).await;
    let before = raw.everything("app").await;
    for round in 0..3 {
        raw.break_commits().await;
        let operation = repeatable(&format!("round-{round}"), 1, send("ann", &["bob", "cid"]));
        // Oftener than there are connections.
        for _ in 0..6 {
            let answer = bench
                .store
                .execute(&app(), operation.clone(), in_time())
                .await;
            let failed = matches!(answer, Err(Error::Unknown(_) | Error::Internal(_)));
            assert!(failed, "{answer:?}");
        }
        assert_eq!(bench.counts("bob").await, (1 + round, 1 + round, 0));
        raw.mend_commits().await;
        sent(bench.execute(&app(), operation).await);
    }
    let messages = |lines: &[String]| {
        let of_them = lines.iter().filter(|line| line.starts_with(" message"));
        of_them.count()
    };
    let after = raw.everything("app").await;
    assert_eq!(messages(&after), messages(&before) + 3);
}
