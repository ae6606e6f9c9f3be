//! Crashes, cut connections, full disks and storms, and what must be left after them.
//!
//! Every test prints its figures. `POSTROOM_TORTURE_SECS` says how long storms last.

mod commit;
mod crash;
mod full_disk;
mod retries;
mod sends;
mod storm;
