use super::*;

/// A time at which the machine has been up for [`UP_MS`].
const START: Millis = Millis(1_800_000_000_000);
const UP_MS: i64 = 1_000_000;
const SKEW_MAX_MS: i64 = 5_000;
const HOUR_MS: i64 = 3_600_000;

/// Clocks that run, and can be set.
struct Clocks {
    passed_ms: i64,
    machine_ahead_ms: i64,
    /// None for a database without a clock.
    database_ahead_ms: Option<i64>,
    stored: Millis,
    timeline: Timeline,
}

impl Clocks {
    fn new(database_ahead_ms: Option<i64>) -> Self {
        Self {
            passed_ms: 0,
            machine_ahead_ms: 0,
            database_ahead_ms,
            stored: Millis(0),
            timeline: Timeline::new(SKEW_MAX_MS),
        }
    }

    fn right(&self) -> Millis {
        START.after(self.passed_ms)
    }

    fn machine(&self) -> Millis {
        self.right().after(self.machine_ahead_ms)
    }

    fn check(&mut self) {
        let database = self
            .database_ahead_ms
            .map(|ahead| self.right().after(ahead));
        self.timeline.observe(&ClockReading {
            boot_ms: UP_MS + self.passed_ms,
            machine: self.machine(),
            database,
            stored: self.stored,
            uncertainty_ms: 1,
        });
    }

    /// Lets two seconds pass, and checks.
    fn next(&mut self) {
        self.passed_ms += 2_000;
        self.check();
    }

    /// By how much the time and what is due are ahead of the right time.
    fn ahead(&self) -> Result<(i64, i64), TimeUnknown> {
        let now = self.timeline.now(UP_MS + self.passed_ms, self.machine())?;
        let right = self.right().0;
        Ok((now.ms.0 - right, now.due_ms.0 - right))
    }
}

#[test]
fn a_clock_that_was_not_checked_has_no_time() {
    let clocks = Clocks::new(None);
    assert_eq!(clocks.ahead(), Err(TimeUnknown::Unchecked));
}

#[test]
fn the_time_is_that_of_the_database() {
    let mut clocks = Clocks::new(Some(0));
    clocks.machine_ahead_ms = 4_000;
    clocks.check();
    assert_eq!(clocks.ahead(), Ok((0, 0)));
    // A machine's clock that is set between two checks changes nothing.
    clocks.machine_ahead_ms = -HOUR_MS;
    clocks.passed_ms += 1_000;
    assert_eq!(clocks.ahead(), Ok((0, 0)));
}

#[test]
fn a_machine_that_differs_from_the_database_has_no_time() {
    for (machine, database) in [(HOUR_MS, 0), (-HOUR_MS, 0), (0, HOUR_MS), (0, -HOUR_MS)] {
        let mut clocks = Clocks::new(Some(0));
        clocks.check();
        (clocks.machine_ahead_ms, clocks.database_ahead_ms) = (machine, Some(database));
        clocks.next();
        let skew_ms = machine - database;
        assert_eq!(clocks.ahead(), Err(TimeUnknown::Skewed { skew_ms }));
        (clocks.machine_ahead_ms, clocks.database_ahead_ms) = (0, Some(0));
        clocks.next();
        assert_eq!(clocks.ahead(), Ok((0, 0)));
    }
}

#[test]
fn a_jump_of_all_clocks_is_written_but_nothing_falls_due_by_it() {
    for database in [Some(0), None] {
        let mut clocks = Clocks::new(database);
        clocks.check();
        for ahead in [HOUR_MS, 45 * DAY_MS, -HOUR_MS, HOUR_MS] {
            clocks.machine_ahead_ms = ahead;
            clocks.database_ahead_ms = database.map(|_| ahead);
            clocks.next();
            assert_eq!(clocks.ahead(), Ok((ahead, ahead.min(0))), "{database:?}");
            assert_eq!(clocks.timeline.is_holding(), ahead > 0);
        }
        let before = clocks.timeline.clone();
        clocks.machine_ahead_ms = 0;
        clocks.database_ahead_ms = database;
        clocks.next();
        assert!(!clocks.timeline.has_accepted_since(&before), "jumped back");
        assert_eq!(clocks.ahead(), Ok((0, 0)), "{database:?}");
        assert!(!clocks.timeline.is_holding());
    }
}

#[test]
fn a_machine_clock_that_runs_too_fast_is_followed_for_as_long_as_it_may_differ() {
    for database in [Some(0), None] {
        let mut clocks = Clocks::new(database);
        clocks.check();
        for _ in 0..100 {
            clocks.machine_ahead_ms += 200;
            clocks.next();
            let ahead = clocks.ahead().unwrap_or_default();
            assert!(ahead.1 <= SKEW_MAX_MS, "{ahead:?}");
        }
    }
}

#[test]
fn a_slow_drift_between_boot_time_and_two_clocks_that_agree_is_followed() {
    let mut clocks = Clocks::new(Some(0));
    for _ in 0..1_000 {
        clocks.machine_ahead_ms += 20;
        clocks.database_ahead_ms = Some(clocks.machine_ahead_ms);
        clocks.next();
    }
    assert_eq!(clocks.ahead(), Ok((20_000, 20_000)));
}

#[test]
fn a_start_a_day_after_the_stored_time_is_held_until_the_time_is_accepted() {
    for database in [Some(0), None] {
        let mut clocks = Clocks::new(database);
        clocks.stored = START.after(-DAY_MS);
        clocks.check();
        assert_eq!(clocks.ahead(), Ok((0, 0)), "down for a day");

        let mut clocks = Clocks::new(database);
        clocks.stored = START.after(-DAY_MS - 1);
        clocks.check();
        assert_eq!(clocks.ahead(), Ok((0, -DAY_MS - 1)));
        clocks.next();
        assert_eq!(
            clocks.ahead(),
            Ok((0, -DAY_MS - 1)),
            "it passes, but is held"
        );
        let before = clocks.timeline.clone();
        clocks.stored = clocks.right();
        clocks.next();
        assert!(clocks.timeline.has_accepted_since(&before));
        assert!(!clocks.timeline.is_holding(), "accepted");
    }
}

#[test]
fn a_stored_time_that_is_ahead_holds_nothing_back() {
    let mut clocks = Clocks::new(None);
    clocks.stored = START.after(45 * DAY_MS);
    clocks.check();
    assert_eq!(clocks.ahead(), Ok((0, 0)));
}
