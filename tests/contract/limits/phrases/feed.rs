//! Limits of the feed.

use ::domain::limits as domain;
use messaging::StreamTiming;

use super::super::units::{at_most_text, configured, cut, minutes, number, size, time};
use super::Phrases;

pub fn limits_of_the_feed() -> Phrases {
    let timing = StreamTiming::default();
    let days = domain::TOMBSTONE_MS / domain::DAY_MS;
    let deletions = number(domain::TOMBSTONES_MAX);
    let (shortest, longest) = (timing.max_age.start(), timing.max_age.end());
    vec![
        (
            "GetChangesRequest.limit",
            cut(domain::CHANGES_DEFAULT, domain::CHANGES_MAX),
        ),
        (
            "Messaging.GetChanges",
            at_most_text(&size(domain::PAGE_BYTES_MAX)),
        ),
        (
            "Messaging.GetChanges",
            format!(
                "examines at most {} changes",
                number(domain::CHANGES_EXAMINED_MAX)
            ),
        ),
        ("Event.heartbeat", time(timing.heartbeat)),
        (
            "RESYNC_REASON_CURSOR_TOO_OLD",
            format!("{days} days, and at most {deletions} of a mailbox"),
        ),
        (
            "Messaging.Subscribe",
            format!("{} to {} minutes", minutes(*shortest), minutes(*longest)),
        ),
        (
            "ERROR_REASON_SLOW_READER",
            format!(
                "more than {} unread for {}",
                size(domain::STREAM_BYTES_MAX),
                time(timing.slow_reader_timeout)
            ),
        ),
        (
            "ERROR_REASON_TOO_MANY_STREAMS",
            format!(
                "more than {} streams of one profile, or {} on one connection",
                domain::STREAMS_PER_PROFILE_MAX,
                configured("streams_per_connection")
            ),
        ),
    ]
}
