//! Calls that begin when they are due.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tonic::Status;

use crate::load::caller::Caller;
use crate::scenario::Work;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    pub work: Work,
    /// Calls a second, evenly.
    pub per_second: f64,
    /// How long a caller waits for an answer.
    pub patience: Duration,
}

/// How the calls ended that were offered.
#[derive(Debug, Default)]
pub struct Load {
    pub secs: f64,
    /// Of those that were answered well and in time, from when they were due, in order.
    pub latencies: Vec<Duration>,
    /// Of the others, by code.
    pub others: BTreeMap<String, u64>,
}

/// What callers waited.
#[derive(Debug, Serialize)]
pub struct Waited {
    pub calls: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// How the others ended.
    pub others: String,
}

/// Begins calls when they are due, whether or not the others were answered, for some seconds.
///
/// # Errors
/// If a call panics.
pub async fn offer(caller: &Caller, offer: Offer, secs: u64) -> anyhow::Result<Load> {
    let end = sleep(Duration::from_secs(secs));
    let (load, ()) = offer_beside(caller, offer, end).await?;
    Ok(load)
}

/// The same for as long as something else takes, and what came of that.
///
/// # Errors
/// If a call panics.
pub async fn offer_beside<T>(
    caller: &Caller,
    offer: Offer,
    other: impl Future<Output = T>,
) -> anyhow::Result<(Load, T)> {
    let Offer {
        work,
        per_second,
        patience,
    } = offer;
    let caller = caller.with_patience(patience);
    let mut other = pin!(other);
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    let mut load = Load::default();
    let mut number = 0_u32;
    let done = loop {
        let due = begun + Duration::from_secs_f64(f64::from(number) / per_second);
        tokio::select! {
            biased;
            done = &mut other => break done,
            () = sleep_until(due) => {}
        }
        let caller = caller.clone();
        calls.spawn(async move {
            let answer = caller.call(number as usize, work).await;
            (answer, due.elapsed())
        });
        number += 1;
        while let Some(ended) = calls.try_join_next() {
            load.ended(ended?, patience);
        }
    };
    while let Some(ended) = calls.join_next().await {
        load.ended(ended?, patience);
    }
    load.secs = begun.elapsed().as_secs_f64();
    load.latencies.sort_unstable();
    Ok((load, done))
}

impl Waited {
    pub fn of(load: &Load) -> Self {
        Self {
            calls: load.latencies.len(),
            p50_ms: load.quantile_ms(50),
            p99_ms: load.quantile_ms(99),
            others: load.others(),
        }
    }
}

impl Load {
    /// Milliseconds below which so many percent of the latencies are.
    pub fn quantile_ms(&self, percent: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let place = (self.latencies.len() * percent / 100).min(last);
        let latency = self.latencies.get(place);
        latency.map_or(0.0, Duration::as_secs_f64) * 1e3
    }

    /// How the others ended, in words.
    pub fn others(&self) -> String {
        let others = self.others.iter();
        let others: Vec<_> = others.map(|(how, many)| format!("{many} {how}")).collect();
        others.join(", ")
    }

    fn ended(&mut self, (answer, latency): (Result<(), Status>, Duration), patience: Duration) {
        let code = match answer {
            Ok(()) if latency <= patience => {
                self.latencies.push(latency);
                return;
            }
            Ok(()) => "too late".to_owned(),
            Err(status) => format!("{:?}", status.code()),
        };
        *self.others.entry(code).or_default() += 1;
    }
}
