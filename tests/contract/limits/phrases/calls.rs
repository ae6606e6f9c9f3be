//! The phrases of the limits of calls and callers.

use ::domain::limits as domain;
use ::rpc::limits as rpc;

use super::super::units::{configured, number, request_size, size, time};
use super::Phrases;

pub fn limits_of_calls() -> Phrases {
    let hours = format!("{} hours", domain::IDEMPOTENCY_MS / domain::HOUR_MS);
    let deadline = format!(
        "after {} if the call sets no timeout, at most after {}",
        time(rpc::DEADLINE_DEFAULT),
        rpc::DEADLINE_MAX.as_secs()
    );
    let (user, sys) = (request_size("user"), request_size("sys"));
    vec![
        ("postroom.v1.Messaging", hours.clone()),
        ("postroom.sys.v1.Sys", hours),
        ("postroom.v1.Messaging", deadline.clone()),
        ("postroom.sys.v1.Sys", deadline),
        (
            "postroom.v1.Messaging",
            format!("a request of more than {user}"),
        ),
        (
            "postroom.sys.v1.Sys",
            format!("a request of more than {sys}"),
        ),
        (
            "ERROR_REASON_MESSAGE_TOO_LARGE",
            format!("{user} on `Messaging`, {sys} on `Sys`, by default"),
        ),
        (
            "ERROR_REASON_CREDENTIALS_INVALID",
            format!("longer than {}", size(auth::limits::TOKEN_BYTES_MAX)),
        ),
        (
            "ERROR_REASON_DEADLINE",
            format!("({} if it set none)", time(rpc::DEADLINE_DEFAULT)),
        ),
        (
            "postroom.v1.ErrorReason",
            format!("at most {} are listed", domain::VIOLATIONS_LISTED_MAX),
        ),
    ]
}

pub fn limits_of_callers() -> Phrases {
    let [of_profile, of_app] =
        ["calls_per_profile", "calls_per_app"].map(|key| number(configured(key)));
    let answers = configured("answers_mib") * 1024 * 1024;
    let of_app_answers = answers / rpc::ANSWER_BYTES_OF_APP_DIVISOR as u64;
    let request = format!(
        "has not come after {}, and one more for each {}",
        time(rpc::REQUEST_READ_TIMEOUT),
        size(rpc::REQUEST_BYTES_PER_SECOND_MIN)
    );
    let work = format!(
        "{} changed entries, {} rows that are looked at, or {} of answer",
        rpc::ENTRIES_PER_TOKEN,
        rpc::ROWS_PER_TOKEN,
        size(rpc::BYTES_PER_TOKEN)
    );
    let example = format!(
        "to 100 recipients counts as five sends, and deleting 1,000 entries as {} calls",
        1_000 / rpc::ENTRIES_PER_TOKEN
    );
    let answers_max = |bytes: u64| format!("({}, or half of it when the call begins)", size(bytes));
    vec![
        (
            "postroom.v1.Messaging",
            format!("({of_profile} and {of_app} by default)"),
        ),
        (
            "postroom.v1.Messaging",
            answers_max(rpc::ANSWER_BYTES_PER_PROFILE_MAX as u64),
        ),
        ("postroom.sys.v1.Sys", format!("({of_app} by default)")),
        ("postroom.sys.v1.Sys", answers_max(of_app_answers)),
        ("postroom.v1.Messaging", request.clone()),
        ("postroom.sys.v1.Sys", request),
        (
            "Sys.RevokeTokens",
            format!("within {}", time(rpc::QUOTAS_REREAD)),
        ),
        (
            "Sys.EraseApp",
            format!("within {}", time(rpc::QUOTAS_REREAD)),
        ),
        ("postroom.sys.v1.AppSettings", work),
        ("postroom.sys.v1.AppSettings", example),
    ]
}
