//! Limits of sends.

use ::domain::limits as domain;
use ::rpc::limits as rpc;

use super::super::units::{number, request_size, time, up_to};
use super::Phrases;

pub fn limits_of_sends() -> Phrases {
    let by_default = domain::RECIPIENTS_DEFAULT;
    let cap = up_to(domain::RECIPIENTS_CAP);
    let years = domain::EXPIRY_MAX_MS / domain::DAY_MS / 365;
    let days = domain::EXPIRY_DEFAULT_MS / domain::DAY_MS;
    let of_app = [
        "postroom.sys.v1.SendMessageRequest.expire_after",
        "postroom.sys.v1.SendMessageSimpleRequest.expire_after",
        "SendBulkRequest.expire_after",
        "SegmentMessage.expire_after",
    ];
    let of_app = of_app.map(|at| (at, format!("at most {years} years")));
    let user_days = format!(
        "at most the app's `max_expiry` ({} days by default)",
        domain::USER_EXPIRY_DEFAULT_MS / domain::DAY_MS
    );
    let segment = number(domain::SEGMENT_RECIPIENTS_MAX);
    let of_user = format!("1 to the app's `max_recipients` ({by_default} by default)");
    let mut phrases: Phrases = of_app.into();
    phrases.extend([
        ("postroom.v1.SendMessageRequest.to", of_user.clone()),
        ("postroom.v1.SendMessageSimpleRequest.to", of_user),
        ("postroom.sys.v1.SendMessageRequest.to", cap.clone()),
        ("postroom.sys.v1.SendMessageSimpleRequest.to", cap),
        (
            "postroom.v1.SendMessageRequest.expire_after",
            user_days.clone(),
        ),
        (
            "postroom.v1.SendMessageSimpleRequest.expire_after",
            user_days,
        ),
        ("expire_after", format!("({days} days by default)")),
        ("Sys.SendToProfiles", format!("up to {segment}")),
        (
            "SegmentRecipients.profile_ids",
            format!("more than {segment} ids"),
        ),
        (
            "ERROR_REASON_MAX_RECIPIENTS_EXCEEDED",
            format!(
                "than {} on `Sys`, or than {segment}",
                domain::RECIPIENTS_CAP
            ),
        ),
        (
            "Sys.SendToProfiles",
            format!(
                "within {} after the one before, and the whole stream takes {} at most",
                time(rpc::REQUEST_MESSAGE_TIMEOUT),
                time(rpc::REQUEST_STREAM_MAX)
            ),
        ),
        (
            "Sys.SendToProfiles",
            format!(
                "receives {} streams at once, {} of them of one app",
                domain::INTAKES_MAX,
                domain::INTAKES_OF_APP_MAX
            ),
        ),
        (
            "SegmentRecipients.profile_ids",
            format!("a request of {}", request_size("sys")),
        ),
    ]);
    phrases
}
