//! Many streams on two replicas under random faults.

pub mod faults;
mod reader;

use std::env;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use support::coverage;
use support::on_each_database;
use support::process::Deployment;
use support::store::{DatabaseKind, TestDatabase};
use tokio::time::sleep;

use faults::{FaultyReplicas, write};
use reader::{StreamFigures, StreamReader};

/// Default duration, in seconds.
const SECONDS: u64 = 8;
const SECONDS_VARIABLE: &str = "POSTROOM_TORTURE_SECS";
/// Number of readers in a short run and in a long one.
const READERS: (usize, usize) = (20, 100);
const WRITERS: usize = 2;
/// Time within which all readers see everything after the last write.
const SETTLE: Duration = Duration::from_mins(1);

fn lasting() -> Option<u64> {
    env::var(SECONDS_VARIABLE).ok()?.parse().ok()
}

async fn run(deployment: &Deployment, arguments: &[&str]) {
    let count = lasting().map_or(READERS.0, |_| READERS.1);
    let last = Duration::from_secs(lasting().unwrap_or(SECONDS));
    let replicas = Arc::new(FaultyReplicas::begin(deployment, arguments, count));
    let readers = (0..count).map(|number| {
        let mut reader = StreamReader::new(number);
        let replicas = Arc::clone(&replicas);
        tokio::spawn(async move {
            reader.follow(&replicas).await;
            reader
        })
    });
    let readers: Vec<_> = readers.collect();
    let busy = (0..WRITERS).map(|number| tokio::spawn(write(Arc::clone(&replicas), number)));
    let busy: Vec<_> = busy.collect();

    let end = Instant::now() + last;
    let mut blows = 0;
    while Instant::now() < end {
        sleep(Duration::from_millis(700)).await;
        replicas.strike(deployment, arguments, blows).await;
        blows += 1;
    }
    replicas.calm();
    let writes: usize = join_all(busy)
        .await
        .into_iter()
        .map(|done| done.expect("writes"))
        .sum();
    replicas.settle(Instant::now() + SETTLE);
    let mut all = StreamFigures::default();
    for reader in join_all(readers).await {
        all.add(&reader.expect("a reader").figures);
    }
    let backend = match deployment.database() {
        TestDatabase::Sqlite(_) => DatabaseKind::Sqlite,
        TestDatabase::Postgres(_) => DatabaseKind::Postgres,
    };
    coverage::print(&format!(
        "followed on replicas, {backend:?} {arguments:?}: {count} readers, {writes} writes, \
         {blows} blows, {all}"
    ));
    assert!(writes > 0 && all.changes > 0 && all.streams > count);
    assert_eq!(
        (all.missed, all.doubled, all.disordered, all.resyncs),
        (0, 0, 0, 0)
    );
}

async fn streams_show_every_change_once_and_in_order_under_faults(deployment: &Deployment) {
    run(deployment, &[]).await;
}

async fn streams_of_polling_replicas_show_every_change_once_and_in_order(deployment: &Deployment) {
    let config = deployment.data_dir().join("quiet.toml");
    std::fs::write(&config, "[database]\nnotify = false\n").expect("a file");
    let config = config.display().to_string();
    run(deployment, &["--config", &config]).await;
}

on_each_database![
    #[ignore = "second gear: takes minutes"]
    streams_show_every_change_once_and_in_order_under_faults,
    #[ignore = "second gear: takes minutes"]
    streams_of_polling_replicas_show_every_change_once_and_in_order,
];
