#![no_main]

use libfuzzer_sys::fuzz_target;
use support::fuzz::FuzzTarget;

fuzz_target!(|input: &[u8]| {
    (FuzzTarget::named("content").run)(input);
});
