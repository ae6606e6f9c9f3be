//! The phrases in which the comments of the contract state each limit.

mod calls;

use ::domain::limits as domain;
use ::rpc::limits as rpc;
use messaging::StreamTiming;

use super::units::{
    at_most, at_most_text, configured, cut, default_of, minutes, number, request_size, size, time,
    up_to,
};

/// Phrases with the last parts of the full names of the elements that they apply to.
type Phrases = Vec<(&'static str, String)>;

/// Returns the phrases of all limits.
pub fn all() -> Phrases {
    let groups = [
        limits_of_ids(),
        limits_of_contents(),
        limits_of_sends(),
        limits_of_pages(),
        limits_of_the_feed(),
        limits_of_settings(),
        kept_limits(),
        limits_of_the_audit_log(),
        limits_of_erasures(),
        calls::limits_of_calls(),
        calls::limits_of_callers(),
    ];
    groups.into_iter().flatten().collect()
}

fn limits_of_ids() -> Phrases {
    let of_id = format!("1 to {}", size(domain::PROFILE_ID_BYTES_MAX));
    let mut phrases: Phrases = [
        "postroom.v1.Messaging",
        "postroom.sys.v1.Sys",
        "sender_profile_id",
        "to_profile_id",
        "party_profile_id",
        "owner_profile_id",
        "KeyWrap.profile_id",
        "BlockProfileRequest.profile_id",
        "UnblockProfileRequest.profile_id",
    ]
    .map(|at| (at, of_id.clone()))
    .into();
    phrases.extend([
        (
            "request_id",
            format!("1 to {} of ASCII", size(domain::REQUEST_ID_BYTES_MAX)),
        ),
        ("message_ids", up_to(domain::MESSAGE_IDS_MAX)),
        (
            "Sender.name",
            format!("1 to {}", size(domain::SENDER_NAME_BYTES_MAX)),
        ),
        ("Sender.pic", at_most(domain::SENDER_PIC_BYTES_MAX)),
    ]);
    phrases
}

fn limits_of_contents() -> Phrases {
    let by_default = size(domain::CONTENT_BYTES_DEFAULT);
    let cap = at_most(domain::CONTENT_BYTES_CAP);
    let levels = number(domain::JSON_DEPTH_MAX);
    let nodes = number(domain::JSON_NODES_MAX);
    let preview = format!("first {} characters", domain::PREVIEW_CHARS);
    let of_key_id = at_most(domain::KEY_ID_BYTES_MAX);
    vec![
        ("v1.Content", format!("{by_default} by default, {cap}")),
        ("Content.json", format!("Depth is at most {levels}")),
        ("Content.json", format!("at most {nodes} nodes")),
        (
            "ERROR_REASON_CONTENT_INVALID",
            format!("more than {levels} levels or {nodes} nodes"),
        ),
        ("MessageParts.parts", up_to(domain::PARTS_MAX)),
        ("Part.mime_type", at_most(domain::MIME_TYPE_BYTES_MAX)),
        (
            "SealedContent.scheme",
            format!("1 to {}", size(domain::SEALED_SCHEME_BYTES_MAX)),
        ),
        (
            "SealedContent.headers",
            at_most(domain::SEALED_HEADERS_BYTES_MAX),
        ),
        ("SealedContent.sender_key_id", of_key_id.clone()),
        (
            "SealedContent.keys",
            format!("one for each of {}", domain::KEY_WRAPS_MAX),
        ),
        ("KeyWrap.key_id", of_key_id),
        (
            "KeyWrap.wrapped_key",
            format!("1 to {}", size(domain::WRAPPED_KEY_BYTES_MAX)),
        ),
        ("digest", format!(", {}", size(blake3::OUT_LEN))),
        ("MESSAGE_VIEW_PREVIEW", preview),
        (
            "v1.Notification",
            format!("At most {} in all", size(domain::NOTIFICATION_BYTES_MAX)),
        ),
        (
            "Notification.title",
            at_most(domain::NOTIFICATION_TITLE_BYTES_MAX),
        ),
        (
            "Notification.text",
            at_most(domain::NOTIFICATION_TEXT_BYTES_MAX),
        ),
        (
            "Notification.sound",
            at_most(domain::NOTIFICATION_SOUND_BYTES_MAX),
        ),
        (
            "Notification.data",
            at_most(domain::NOTIFICATION_DATA_BYTES_MAX),
        ),
    ]
}

fn limits_of_sends() -> Phrases {
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

fn limits_of_pages() -> Phrases {
    let rows = domain::ROWS_PER_PAGE_DEFAULT;
    let examined = number(domain::ROWS_EXAMINED_MAX);
    let by_recipient = format!("at most {} rows", domain::RECIPIENT_ROWS_EXAMINED_MAX);
    let answer = size(domain::GET_BYTES_MAX);
    let counted = format!("stopped at {}", number(domain::COUNT_MAX));
    let page = format!(
        "examines at most {examined} rows and returns at most {}",
        size(domain::PAGE_BYTES_MAX)
    );
    vec![
        ("Messaging.GetMessages", at_most_text(&answer)),
        ("Sys.GetMessages", at_most_text(&answer)),
        (
            "remaining_message_ids",
            format!("did not fit into {answer}"),
        ),
        (
            "Messaging.GetMessagesPageOffset",
            format!("{examined} more"),
        ),
        ("GetMessagesPageRequest.context", format!("{rows} a page")),
        (
            "GetMessagesForOwnerPageRequest.context",
            format!("{rows} a page"),
        ),
        ("PageContext", format!("{rows} a page")),
        ("RepositoryPageContext", format!("{rows} a page")),
        ("pagination", format!("first {rows} rows")),
        (
            "Pagination",
            at_most_text(&number(domain::PAGE_JUMP_ROWS_MAX)),
        ),
        (
            "ListBlocksRequest.page_size",
            cut(rows, domain::ROWS_PER_PAGE_MAX),
        ),
        (
            "Messaging.BlockProfile",
            format!("{} others", number(domain::BLOCKS_MAX)),
        ),
        (
            "ERROR_REASON_TOO_MANY_BLOCKS",
            format!("{} profiles", number(domain::BLOCKS_MAX)),
        ),
        (
            "Pagination.rows_per_page",
            cut(rows, domain::ROWS_PER_PAGE_MAX),
        ),
        ("MessagesPage", page.clone()),
        ("RepositoryPage", page),
        ("MessagesPage", by_recipient.clone()),
        ("RepositoryPage", by_recipient),
        ("count_capped", counted),
        (
            "Sys.SendBulk",
            format!("at most {} bulk messages", number(domain::LIVE_BULK_MAX)),
        ),
        (
            "ERROR_REASON_TOO_MANY_BULK_MESSAGES",
            format!("{} bulk messages", number(domain::LIVE_BULK_MAX)),
        ),
        (
            "ERROR_REASON_MSGBOX_FULL",
            format!(
                "{} messages by default",
                number(domain::BOX_MESSAGES_DEFAULT)
            ),
        ),
    ]
}

fn limits_of_the_feed() -> Phrases {
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

fn kept_limits() -> Phrases {
    vec![
        (
            "AppSettings.profile_kept_mib",
            format!("0 to {}", number(domain::PROFILE_KEPT_MIB_MAX)),
        ),
        (
            "AppSettings.profile_kept_mib",
            default_of(domain::PROFILE_KEPT_MIB_DEFAULT),
        ),
        (
            "AppSettings.profile_unused_mailboxes",
            format!("0 to {}", number(domain::PROFILE_UNUSED_MAILBOXES_MAX)),
        ),
        (
            "AppSettings.profile_unused_mailboxes",
            default_of(domain::PROFILE_UNUSED_MAILBOXES_DEFAULT),
        ),
        (
            "AppSettings.app_kept_mib",
            format!("0 to {}", number(domain::APP_KEPT_MIB_MAX)),
        ),
        (
            "AppSettings.app_kept_mib",
            default_of(domain::APP_KEPT_MIB_DEFAULT),
        ),
        (
            "AppSettings.app_mailboxes",
            format!("0 to {}", number(domain::APP_MAILBOXES_MAX)),
        ),
        (
            "AppSettings.app_mailboxes",
            default_of(domain::APP_MAILBOXES_DEFAULT),
        ),
        (
            "ERROR_REASON_KEPT_QUOTA_EXCEEDED",
            format!("({} MiB", domain::PROFILE_KEPT_MIB_DEFAULT),
        ),
        (
            "ERROR_REASON_KEPT_QUOTA_EXCEEDED",
            format!(
                "{} mailboxes",
                number(domain::PROFILE_UNUSED_MAILBOXES_DEFAULT)
            ),
        ),
    ]
}

fn limits_of_erasures() -> Phrases {
    let days = domain::REVOCATION_KEPT_MS / domain::DAY_MS;
    let hours = domain::APP_ERASURE_DELAY_MS / domain::HOUR_MS;
    let page = format!(
        "examines at most {} rows and returns at most {}",
        number(domain::ROWS_EXAMINED_MAX),
        size(domain::PAGE_BYTES_MAX)
    );
    vec![
        ("Sys.GetErasure", format!("for {days} days")),
        ("Sys.EraseApp", format!("in {hours} hours")),
        ("Sys.ExportProfile", page),
    ]
}

fn limits_of_the_audit_log() -> Phrases {
    let text = at_most(domain::AUDIT_FILTER_BYTES_MAX);
    vec![
        (
            "Sys.ListAudit",
            format!(
                "examines at most {} records and returns at most {} of ids",
                number(domain::AUDIT_RECORDS_EXAMINED_MAX),
                size(domain::PAGE_BYTES_MAX)
            ),
        ),
        ("ListAuditRequest.method_name", text.clone()),
        ("ListAuditRequest.subject", text.clone()),
        ("ListAuditRequest.touched_id", text),
        (
            "ListAuditRequest.page_size",
            cut(domain::ROWS_PER_PAGE_DEFAULT, domain::ROWS_PER_PAGE_MAX),
        ),
        ("AuditRecord.request_hash", size(32)),
        (
            "AuditRecord.id_count",
            at_most_text(&number(domain::AUDIT_IDS_MAX)),
        ),
    ]
}

fn limits_of_settings() -> Phrases {
    let cap = domain::CONTENT_BYTES_CAP;
    let by_default = domain::CONTENT_BYTES_DEFAULT;
    let rate = format!("0 to {}", number(domain::QUOTA_PER_SECOND_MAX));
    let burst = up_to(domain::QUOTA_BURST_MAX);
    let days = |ms: i64| ms / domain::DAY_MS;
    let years = format!("at most {} years", days(domain::EXPIRY_MAX_MS) / 365);
    let quotas = [
        (
            "AppSettings.profile_calls_per_second",
            "AppSettings.profile_calls_burst",
            domain::PROFILE_CALLS_DEFAULT,
        ),
        (
            "AppSettings.profile_sends_per_second",
            "AppSettings.profile_sends_burst",
            domain::PROFILE_SENDS_DEFAULT,
        ),
        (
            "AppSettings.app_sends_per_second",
            "AppSettings.app_sends_burst",
            domain::APP_SENDS_DEFAULT,
        ),
        (
            "AppSettings.app_calls_per_second",
            "AppSettings.app_calls_burst",
            domain::APP_CALLS_DEFAULT,
        ),
    ];
    let of_quotas = quotas.into_iter().flat_map(|(per_second, at_once, quota)| {
        [
            (per_second, rate.clone()),
            (per_second, default_of(quota.per_second)),
            (at_once, burst.clone()),
            (at_once, default_of(quota.burst)),
        ]
    });
    let mut phrases: Phrases = of_quotas.collect();
    phrases.extend([
        (
            "AppSettings.max_recipients",
            format!(
                "{}. {} by default",
                up_to(domain::RECIPIENTS_CAP),
                domain::RECIPIENTS_DEFAULT
            ),
        ),
        (
            "AppSettings.max_content_bytes",
            format!("{} ({})", up_to(cap), size(cap)),
        ),
        (
            "AppSettings.max_content_bytes",
            format!("{} ({}) by default", number(by_default), size(by_default)),
        ),
        ("AppSettings.default_expiry", years.clone()),
        (
            "AppSettings.default_expiry",
            format!("{} days by default", days(domain::EXPIRY_DEFAULT_MS)),
        ),
        ("AppSettings.max_expiry", years),
        (
            "AppSettings.max_expiry",
            format!("{} days by default", days(domain::USER_EXPIRY_DEFAULT_MS)),
        ),
        (
            "AppSettings.keep_for_moderation",
            format!("0 to {} days", days(domain::KEEP_FOR_MODERATION_MAX_MS)),
        ),
        (
            "AppSettings.app_reserve_percent",
            format!("0 to {}", domain::APP_RESERVE_PERCENT_MAX),
        ),
        (
            "AppSettings.app_reserve_percent",
            default_of(domain::APP_RESERVE_PERCENT_DEFAULT),
        ),
        (
            "AppSettings.max_unread_per_sender",
            format!("0 to {}", number(domain::UNREAD_PER_SENDER_MAX)),
        ),
        (
            "AppSettings.max_unread_per_sender",
            default_of(domain::UNREAD_PER_SENDER_DEFAULT),
        ),
        (
            "Sys.UpdateAppSettings",
            format!("every {}", time(rpc::QUOTAS_REREAD)),
        ),
    ]);
    phrases
}
