//! Nobody is told anything before it is durable. What becomes of a commit whose answer is
//! lost is among the tests of `torture`.

use storage::Error;
use support::however_gathered;

use super::bench::{Bench, in_time};
use super::words::{app, repeatable, send, sent};

however_gathered![a_commit_that_fails_is_no_answer_and_the_next_one_works];

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
