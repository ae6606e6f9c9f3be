//! No reason of the contract goes untested.

use proto::v1::ErrorReason;

/// Golden files with all cases.
const GOLDEN: [&str; 11] = [
    include_str!("golden/callers.snap"),
    include_str!("golden/conversations.snap"),
    include_str!("golden/draining.snap"),
    include_str!("golden/feed.snap"),
    include_str!("golden/fields.snap"),
    include_str!("golden/notices.snap"),
    include_str!("golden/pages.snap"),
    include_str!("golden/quotas.snap"),
    include_str!("golden/rules.snap"),
    include_str!("golden/sends.snap"),
    include_str!("golden/server.snap"),
];

#[test]
fn every_error_reason_has_a_golden_case() {
    let reasons: Vec<_> = (1..1_000)
        .filter_map(|number| ErrorReason::try_from(number).ok())
        .collect();
    assert!(reasons.len() >= 32);
    for reason in reasons {
        let name = reason.as_str_name().trim_start_matches("ERROR_REASON_");
        let is_told = |golden: &&str| golden.split([' ', ':']).any(|word| word == name);
        assert!(GOLDEN.iter().any(is_told), "{name}");
    }
}
