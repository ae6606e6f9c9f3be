//! Many who follow their mailboxes on two replicas, while everything is cut at random.

mod reader;
pub mod weather;

use std::env;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use support::coverage;
use support::on_each_database;
use support::process::Home;
use support::store::{Backend, Place};
use tokio::time::sleep;

use reader::{Figures, Reader};
use weather::{World, write};

/// How long it lasts, unless the variable says otherwise.
const SECONDS: u64 = 8;
const SECONDS_VARIABLE: &str = "POSTROOM_TORTURE_SECS";
/// Who follows, in a short run and in a long one.
const READERS: (usize, usize) = (20, 100);
const WRITERS: usize = 2;
/// How long everybody may take to see the end.
const SETTLE: Duration = Duration::from_mins(1);

fn lasting() -> Option<u64> {
    env::var(SECONDS_VARIABLE).ok()?.parse().ok()
}

async fn run(home: &Home, arguments: &[&str]) {
    let count = lasting().map_or(READERS.0, |_| READERS.1);
    let last = Duration::from_secs(lasting().unwrap_or(SECONDS));
    let world = Arc::new(World::begin(home, arguments, count));
    let readers = (0..count).map(|number| {
        let mut reader = Reader::new(number);
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            reader.follow(&world).await;
            reader
        })
    });
    let readers: Vec<_> = readers.collect();
    let busy = (0..WRITERS).map(|number| tokio::spawn(write(Arc::clone(&world), number)));
    let busy: Vec<_> = busy.collect();

    let end = Instant::now() + last;
    let mut blows = 0;
    while Instant::now() < end {
        sleep(Duration::from_millis(700)).await;
        world.strike(home, arguments, blows).await;
        blows += 1;
    }
    world.calm();
    let writes: usize = join_all(busy)
        .await
        .into_iter()
        .map(|done| done.expect("writes"))
        .sum();
    world.settle(Instant::now() + SETTLE);
    let mut all = Figures::default();
    for reader in join_all(readers).await {
        all.add(&reader.expect("a reader").figures);
    }
    let backend = match home.place() {
        Place::Sqlite(_) => Backend::Sqlite,
        Place::Postgres(_) => Backend::Postgres,
    };
    coverage::print(&format!(
        "followed on two replicas, {backend:?} {arguments:?}: {count} readers, {writes} writes, \
         {blows} blows, {all}"
    ));
    assert!(writes > 0 && all.changes > 0 && all.streams > count);
    assert_eq!(
        (all.missed, all.doubled, all.disordered, all.resyncs),
        (0, 0, 0, 0)
    );
}

async fn whoever_follows_sees_all_of_it_once_and_in_order(home: &Home) {
    run(home, &[]).await;
}

async fn whoever_follows_sees_all_of_it_also_if_replicas_only_poll(home: &Home) {
    let config = home.data_dir().join("quiet.toml");
    std::fs::write(&config, "[database]\nnotify = false\n").expect("a file");
    let config = config.display().to_string();
    run(home, &["--config", &config]).await;
}

on_each_database![
    #[ignore = "second gear: takes minutes"]
    whoever_follows_sees_all_of_it_once_and_in_order,
    #[ignore = "second gear: takes minutes"]
    whoever_follows_sees_all_of_it_also_if_replicas_only_poll,
];
