//! Calls that begin when they are due.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tonic::Status;

use crate::load::caller::LoadCaller;
use crate::scenario::CallKind;

/// Offered load.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    pub work: CallKind,
    /// Calls a second, evenly.
    pub per_second: f64,
    /// Longest wait of a caller for an answer.
    pub patience: Duration,
}

/// Results of the offered calls.
#[derive(Debug, Default)]
pub struct OpenLoad {
    pub secs: f64,
    /// Latencies of calls answered in time, from their due time, sorted.
    pub latencies: Vec<Duration>,
    /// Number of other calls, by code.
    pub others: BTreeMap<String, u64>,
}

/// Latencies, and results of other calls.
#[derive(Debug, Serialize)]
pub struct Waited {
    pub calls: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Results of other calls.
    pub others: String,
}

/// Begins calls when they are due, whether or not the others were answered, for some seconds.
///
/// # Errors
/// If a call panics.
pub async fn offer(caller: &LoadCaller, offer: Offer, secs: u64) -> anyhow::Result<OpenLoad> {
    let end = sleep(Duration::from_secs(secs));
    let (load, ()) = offer_beside(caller, offer, end).await?;
    Ok(load)
}

/// Offers calls until `work` is done, and returns both results.
///
/// # Errors
/// If a call panics.
pub async fn offer_beside<T>(
    caller: &LoadCaller,
    offer: Offer,
    other: impl Future<Output = T>,
) -> anyhow::Result<(OpenLoad, T)> {
    let Offer {
        work,
        per_second,
        patience,
    } = offer;
    let caller = caller.with_patience(patience);
    let mut other = pin!(other);
    let begun = Instant::now();
    let mut calls = JoinSet::new();
    let mut load = OpenLoad::default();
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
    pub fn of(load: &OpenLoad) -> Self {
        Self {
            calls: load.latencies.len(),
            p50_ms: load.quantile_ms(50),
            p99_ms: load.quantile_ms(99),
            others: load.others(),
        }
    }
}

impl OpenLoad {
    /// Percentile of the latencies, in milliseconds.
    pub fn quantile_ms(&self, percent: usize) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let place = (self.latencies.len() * percent / 100).min(last);
        let latency = self.latencies.get(place);
        latency.map_or(0.0, Duration::as_secs_f64) * 1e3
    }

    /// Results of other calls, as text.
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
