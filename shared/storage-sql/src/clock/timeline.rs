//! The timeline of a clock: what the time is, by readings of several clocks.

use domain::limits::DAY_MS;
use domain::{Millis, Now};

#[cfg(test)]
mod tests;

/// Greatest jump ahead of the stored time, at the start, that is not held: a service may have
/// been down that long.
const DOWNTIME_MAX_MS: i64 = DAY_MS;

/// Clocks, read at the same time.
#[derive(Debug, Clone, Copy)]
pub struct ClockReading {
    /// Time since the machine booted, in milliseconds.
    pub boot_ms: i64,
    /// Time of the machine.
    pub machine: Millis,
    /// Time of the database; none if it has no clock.
    pub database: Option<Millis>,
    /// Last time that was stored; 0 if none was.
    pub stored: Millis,
    /// Uncertainty of the database's time, in milliseconds.
    pub uncertainty_ms: i64,
}

/// The time, and the time up to which things are due, each as the distance from the time since
/// boot, in milliseconds.
///
/// The time is the database's, or the machine's if the database has none. What is due follows it
/// as long as it passes like the time since boot. A jump ahead is held: by more than the
/// tolerated skew between two readings of a database, or since the start by a machine's clock
/// alone, which nothing confirms; or by more than a day since the time that was last stored. It
/// ends when the time jumps back, or a replica stores a later time: another one that has none to
/// hold, or the command that accepts it.
#[derive(Debug, Clone)]
pub struct Timeline {
    skew_max_ms: i64,
    /// Distance of the database's time; none if it has no clock.
    database: Option<i64>,
    /// Distance of the time up to which things are due; none before the first reading.
    due: Option<i64>,
    skew_ms: i64,
    held_ms: i64,
    /// Greatest tolerated difference of the last reading.
    tolerated_ms: i64,
}

/// Cause of an unknown time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeUnknown {
    /// No clock was read yet.
    #[error("the clock was not checked yet")]
    Unchecked,
    /// Two clocks differ.
    #[error("the clocks of this machine and of the database differ by {skew_ms} ms")]
    Skewed {
        /// Time of the machine, less that of the database.
        skew_ms: i64,
    },
}

impl Timeline {
    pub const fn new(skew_max_ms: i64) -> Self {
        Self {
            skew_max_ms,
            database: None,
            due: None,
            skew_ms: 0,
            held_ms: 0,
            tolerated_ms: skew_max_ms,
        }
    }

    /// Updates the timeline by a reading.
    pub fn observe(&mut self, reading: &ClockReading) {
        let time = reading.database.unwrap_or(reading.machine);
        self.tolerated_ms = self.skew_max_ms.saturating_add(reading.uncertainty_ms);
        self.skew_ms = reading.machine.0.saturating_sub(time.0);
        if self.is_skewed() {
            return;
        }
        let distance = time.0 - reading.boot_ms;
        let stored = reading.stored.0 - reading.boot_ms;
        self.database = reading.database.map(|_| distance);
        let begin = || {
            let was_stored = reading.stored.0 > 0;
            let is_held = was_stored && distance - stored > DOWNTIME_MAX_MS;
            if is_held { stored } else { distance }
        };
        let due = self.due.unwrap_or_else(begin).max(stored.min(distance));
        let is_confirmed =
            reading.database.is_some() && (distance - due).abs() <= self.tolerated_ms;
        let due = if is_confirmed { distance } else { due };
        self.due = Some(due);
        self.held_ms = (distance - due).max(0);
    }

    /// Returns the time.
    pub fn now(&self, boot_ms: i64, machine: Millis) -> Result<Now, TimeUnknown> {
        if self.is_skewed() {
            let skew_ms = self.skew_ms;
            return Err(TimeUnknown::Skewed { skew_ms });
        }
        let due = self.due.ok_or(TimeUnknown::Unchecked)?;
        let ms = self.database.map_or(machine, |it| Millis(boot_ms + it));
        let due_ms = ms.min(Millis(boot_ms + due));
        Ok(Now { ms, due_ms })
    }

    /// Time of the machine, less that of the database, at the last reading.
    pub const fn skew_ms(&self) -> i64 {
        self.skew_ms
    }

    /// Time by which what is due is held back, at the last reading.
    pub const fn held_ms(&self) -> i64 {
        self.held_ms
    }

    /// True while the clocks differ by more than is tolerated.
    pub const fn is_skewed(&self) -> bool {
        self.skew_ms.saturating_abs() > self.tolerated_ms
    }

    /// True if a jump ahead that was held before is held no longer because the time was accepted,
    /// and not because it has jumped back.
    pub fn has_accepted_since(&self, before: &Self) -> bool {
        let moved = self.due.zip(before.due).map(|(now, then)| now - then);
        moved.is_some_and(|moved| moved > self.tolerated_ms)
    }

    /// True while a jump ahead is held.
    pub const fn is_holding(&self) -> bool {
        self.held_ms > self.tolerated_ms
    }
}
