//! Reads of contents by the app, recorded in the audit log and not.

use std::time::{Duration, Instant};

use futures::future::join_all;
use proto::sys::v1 as sys;
use proto::v1;
use support::process::{Deployment, ServerProcess};
use support::{coverage, on_each_database};

use super::seconds;
use crate::api::builders::{notice, text};

/// Messages in the box that is read.
const MESSAGES: usize = 100;
/// Rows of a page.
const ROWS: i32 = 20;
/// Reads at once.
const AT_ONCE: usize = 32;
/// Rounds, each with and without records.
const ROUNDS: usize = 3;
/// Audited reads for each that is not, at least.
const RATIO_MIN: f64 = 0.7;

fn serve(deployment: &Deployment, is_audited: bool) -> ServerProcess {
    let mut start = deployment.start();
    let reads = ("POSTROOM_AUDIT__READS", is_audited.to_string());
    start.variables.push(reads);
    ServerProcess::start(&start)
}

/// Reads for some time, and returns the number of reads per second.
async fn rate(server: &ServerProcess, duration: Duration) -> f64 {
    let start = Instant::now();
    let reader = async || {
        let mut app = server.system();
        let mut reads = 0_u32;
        while start.elapsed() < duration {
            let page = sys::GetMessagesForOwnerPageRequest {
                owner_profile_id: "bob".to_owned(),
                context: Some(v1::PageContext {
                    pagination: Some(v1::Pagination {
                        rows_per_page: ROWS,
                        ..Default::default()
                    }),
                    ..Default::default()
                }),
            };
            let page = app.get_messages_for_owner_page(page).await.expect("a page");
            let results = page.into_inner().results.expect("a page");
            assert_eq!(results.items.len(), ROWS as usize);
            reads += 1;
        }
        reads
    };
    let reads: u32 = join_all((0..AT_ONCE).map(|_| reader())).await.iter().sum();
    f64::from(reads) / start.elapsed().as_secs_f64()
}

async fn audited_reads_are_not_much_fewer(deployment: &Deployment) {
    let server = serve(deployment, true);
    let mut app = server.system();
    for _ in 0..MESSAGES {
        let sent = app.send_message(notice(&["bob"], text("news"))).await;
        sent.expect("a message");
    }
    drop(server);
    let round = Duration::from_secs(seconds()) / 4;
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let mut rates = Vec::new();
        for is_audited in [false, true] {
            let server = serve(deployment, is_audited);
            rate(&server, round / 4).await;
            rates.push(rate(&server, round).await);
            server.terminate();
            assert!(server.ended().await.success());
        }
        ratios.push(rates[1] / rates[0]);
        coverage::print(&format!(
            "reads of {ROWS} messages by the app per second: {:.0}, audited {:.0}, ratio {:.2}",
            rates[0],
            rates[1],
            rates[1] / rates[0]
        ));
    }
    ratios.sort_by(f64::total_cmp);
    assert!(ratios[ROUNDS / 2] >= RATIO_MIN, "{ratios:?}");
}

on_each_database![
    #[ignore = "second gear: measures time"]
    audited_reads_are_not_much_fewer,
];
