//! Crashes, cut connections, full disks and storms, and what must be left after them.
//!
//! Every test prints its figures. `POSTROOM_TORTURE_SECS` says how long storms last.

mod bulk;
mod commit;
mod crash;
mod database_killed;
mod deaf;
mod follow;
mod full_disk;
mod latency;
mod on_disk;
mod retries;
mod rolling;
mod segments;
mod sends;
mod silence;
mod slow;
mod storm;

/// How long storms last, unless the variable says otherwise.
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
