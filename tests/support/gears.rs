//! The two gears of the tests.
//!
//! The first gear depends on nothing but what is on the machine, and not on how fast that is. The
//! second has the tests that take minutes, measure time or memory, or fetch foreign programs: they
//! carry `#[ignore = "second gear: …"]` and run with `--include-ignored`.

/// Arguments with which libtest runs ignored tests.
const INCLUDE_IGNORED: [&str; 2] = ["--include-ignored", "--ignored"];

/// True if the run includes the second gear. Tests of the first gear are larger then, and assert
/// how long things take.
#[must_use]
pub fn second() -> bool {
    std::env::args().any(|argument| INCLUDE_IGNORED.contains(&argument.as_str()))
}
