//! Fuzzing without coverage, on the stable toolchain: each target runs over random and mutated inputs
//! for some seconds. `tests/fuzz` has the same targets for `cargo fuzz`.

use std::time::{Duration, Instant};

use support::coverage;
use support::fuzz::{FuzzTarget, Mutator, TARGETS};

/// Time of a target unless `POSTROOM_FUZZ_SECS` says another.
const DEFAULT_SECS: u64 = 5;
/// Number of the inputs unless `POSTROOM_FUZZ_SEED` says another.
const DEFAULT_SEED: u64 = 7;
/// Inputs of a target in the first gear.
const FEW: u64 = 50;

/// Runs a target on inputs while `goes_on` the number and the start; says what it covered.
fn fuzz(target: FuzzTarget, goes_on: impl Fn(u64, Instant) -> bool) {
    let seed = setting("POSTROOM_FUZZ_SEED", DEFAULT_SEED);
    let seeds = (target.seeds)();
    for seed in &seeds {
        (target.run)(seed);
    }
    let mut mutator = Mutator::new(seed, seeds);
    let (begun, mut executions, mut accepted) = (Instant::now(), 0, 0_u64);
    while goes_on(executions, begun) {
        accepted += u64::from((target.run)(&mutator.input()));
        executions += 1;
    }
    coverage::print(&format!(
        "fuzzing {}: {executions} executions, {accepted} accepted, no crash",
        target.name
    ));
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect(name))
}

#[test]
fn no_decoder_panics_on_a_few_inputs() {
    for target in TARGETS {
        fuzz(target, |executions, _| executions < FEW);
    }
}

/// Tests of the second gear, one for each target, so that they run side by side.
macro_rules! fuzz_for_a_time {
    ($($target:ident,)*) => {
        mod no_random_or_mutated_input_panics {
            $(
                #[test]
                #[ignore = "second gear: takes its time"]
                fn $target() {
                    super::fuzz_for_a_time(stringify!($target));
                }
            )*
        }

        #[test]
        fn each_target_has_a_test() {
            let names = [$(stringify!($target)),*];
            assert_eq!(TARGETS.map(|target| target.name), names);
        }
    };
}

fuzz_for_a_time![token, cursor, page, content, request, call,];

fn fuzz_for_a_time(name: &str) {
    let secs = setting("POSTROOM_FUZZ_SECS", DEFAULT_SECS);
    let time = Duration::from_secs(secs);
    fuzz(FuzzTarget::named(name), |_, begun| begun.elapsed() < time);
}
