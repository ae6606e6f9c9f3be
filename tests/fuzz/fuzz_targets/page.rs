#![no_main]

use libfuzzer_sys::fuzz_target;
use support::fuzz::FuzzTarget;

fuzz_target!(
    init: FuzzTarget::named("page").write_seeds(),
    |input: &[u8]| {
        (FuzzTarget::named("page").run)(input);
    }
);
