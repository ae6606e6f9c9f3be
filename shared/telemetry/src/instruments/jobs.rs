//! Jobs of the job runner.

use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter};

/// Due jobs and the steps of one kind of job. Clones share the series.
#[derive(Debug, Clone)]
pub struct JobMetrics {
    due: Gauge<f64>,
    oldest_age: Gauge<f64>,
    running: UpDownCounter<i64>,
    step_duration: Histogram<f64>,
    step_failures: Counter<u64>,
    kind: KeyValue,
}

impl JobMetrics {
    /// Instruments of a kind of job. `kind` is its static name, such as `send`.
    #[must_use]
    pub fn new(kind: &'static str) -> Self {
        Self::of(&super::meter(), kind)
    }

    pub(super) fn of(meter: &Meter, kind: &'static str) -> Self {
        let metrics = Self {
            due: super::gauge(
                meter,
                "postroom.job.due",
                "{job}",
                "Jobs that have something to do, when last looked for",
            ),
            oldest_age: super::gauge(
                meter,
                "postroom.job.oldest.age",
                "s",
                "Time since the last step of the due job that has waited longest, when last looked for",
            ),
            running: super::up_down_counter(
                meter,
                "postroom.job.running",
                "{step}",
                "Steps of jobs in progress",
            ),
            step_duration: super::duration(
                meter,
                "postroom.job.step.duration",
                "Duration of the steps of jobs",
            ),
            step_failures: super::counter(
                meter,
                "postroom.job.step.failures",
                "{step}",
                "Steps of jobs that failed and are retried",
            ),
            kind: KeyValue::new("postroom.job.kind", kind),
        };
        metrics.step_failures.add(0, metrics.kind());
        metrics.running.add(0, metrics.kind());
        metrics
    }

    /// Records the due jobs of a pass: their number, and the time since the last step of the one
    /// that has waited longest.
    pub fn due(&self, jobs: usize, oldest_age: Option<Duration>) {
        #[expect(clippy::cast_precision_loss, reason = "a look is bounded")]
        self.due.record(jobs as f64, self.kind());
        self.oldest_age
            .record(super::age_s(oldest_age), self.kind());
    }

    /// Counts a step as in progress until the result is dropped, which records its duration.
    #[must_use]
    pub fn step(&self) -> RunningStep<'_> {
        self.running.add(1, self.kind());
        RunningStep {
            metrics: self,
            start: Instant::now(),
        }
    }

    /// Counts a step that failed.
    pub fn failed(&self) {
        self.step_failures.add(1, self.kind());
    }

    const fn kind(&self) -> &[KeyValue] {
        std::slice::from_ref(&self.kind)
    }
}

/// A step in progress, until this is dropped.
#[derive(Debug)]
pub struct RunningStep<'a> {
    metrics: &'a JobMetrics,
    start: Instant,
}

impl Drop for RunningStep<'_> {
    fn drop(&mut self) {
        let kind = self.metrics.kind();
        self.metrics.running.add(-1, kind);
        let elapsed = self.start.elapsed().as_secs_f64();
        self.metrics.step_duration.record(elapsed, kind);
    }
}
