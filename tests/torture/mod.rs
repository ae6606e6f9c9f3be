//! Torture: crashes, cut connections, full disks, contention.
//!
//! Every test prints its figures. `POSTROOM_TORTURE_SECS` is the duration of storms, in seconds.

mod audited_reads;
mod bulk;
mod bystander;
mod clocks;
mod commit;
mod contention;
mod crash;
mod database_killed;
mod durability;
mod full_disk;
mod held_rows;
mod kept;
mod latency;
mod no_notifications;
mod retries;
mod rolling_restart;
mod segments;
mod sends;
mod silent_database;
mod slow_readers;
mod streams;
mod worst_caller;

/// Default duration of storms, in seconds.
const SECONDS: u64 = 20;
const SECONDS_VARIABLE: &str = "POSTROOM_TORTURE_SECS";

fn seconds() -> u64 {
    std::env::var(SECONDS_VARIABLE)
        .ok()
        .map_or(SECONDS, |text| {
            text.parse()
                .unwrap_or_else(|_| panic!("{SECONDS_VARIABLE} is no number of seconds"))
        })
}
