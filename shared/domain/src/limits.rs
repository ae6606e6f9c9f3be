//! Limits of contents, requests, mailboxes and transactions, each with its unit: of those that
//! can be configured, the default and the cap. Calls, tokens and connections have theirs in the
//! `limits` of `rpc`, `auth` and the server.

use crate::rate::Rate;

/// Bytes of an app id.
pub const APP_ID_BYTES_MAX: usize = 128;
/// Bytes of a profile id.
pub const PROFILE_ID_BYTES_MAX: usize = 256;
/// Bytes of a `request_id`.
pub const REQUEST_ID_BYTES_MAX: usize = 64;
/// Bytes of a sender's `name`.
pub const SENDER_NAME_BYTES_MAX: usize = 128;
/// Bytes of a sender's `pic`.
pub const SENDER_PIC_BYTES_MAX: usize = 512;

/// Message ids in one Get, Mark or Delete.
pub const MESSAGE_IDS_MAX: usize = 500;
/// Recipients of one message, whatever an app's policy says. More is a segment.
pub const RECIPIENTS_CAP: usize = 500;
/// Recipients that a segment names at the most, each time counted.
pub const SEGMENT_RECIPIENTS_MAX: u32 = 10_000_000;
/// Segments whose recipients are uploaded at once.
pub const INTAKES_MAX: usize = 16;
/// Maximum number of entries of one app among them.
pub const INTAKES_OF_APP_MAX: usize = 2;
/// Milliseconds after which uploaded recipients are deleted if no message was sent to them.
pub const INTAKE_MS: i64 = 2 * HOUR_MS;
/// Milliseconds for which a job is left to the replica that ran its last step.
pub const JOB_HELD_MS: i64 = 1_000;
/// Recipients of a segment in one transaction.
pub const CHUNK_RECIPIENTS: usize = 500;
/// Recipients of one message of a user, unless the policy says otherwise.
pub const RECIPIENTS_DEFAULT: u32 = 100;

/// Bytes of a stored content, unless the policy says otherwise.
pub const CONTENT_BYTES_DEFAULT: u32 = 32 * 1024;
/// Bytes of a stored content, whatever an app's policy says.
pub const CONTENT_BYTES_CAP: usize = 64 * 1024;
/// Maximum depth of nested lists and objects in a JSON content.
pub const JSON_DEPTH_MAX: usize = 16;
/// Values in a JSON content: objects, lists, strings, numbers, booleans and nulls.
pub const JSON_NODES_MAX: usize = 1_000;

/// Parts of a content.
pub const PARTS_MAX: usize = 16;
/// Bytes of a part's MIME type.
pub const MIME_TYPE_BYTES_MAX: usize = 127;
/// Bytes of a sealed content's scheme.
pub const SEALED_SCHEME_BYTES_MAX: usize = 64;
/// Bytes of a key id.
pub const KEY_ID_BYTES_MAX: usize = 64;
/// Bytes of a sealed content's headers.
pub const SEALED_HEADERS_BYTES_MAX: usize = 4 * 1024;
/// Bytes of one wrapped key.
pub const WRAPPED_KEY_BYTES_MAX: usize = 256;
/// Wrapped keys of a sealed content: one for each holder, the sender among them.
pub const KEY_WRAPS_MAX: usize = RECIPIENTS_CAP + 1;

/// Bytes of a notification's title.
pub const NOTIFICATION_TITLE_BYTES_MAX: usize = 128;
/// Bytes of a notification's text.
pub const NOTIFICATION_TEXT_BYTES_MAX: usize = 1024;
/// Bytes of a notification's sound.
pub const NOTIFICATION_SOUND_BYTES_MAX: usize = 64;
/// Bytes of a notification's data, keys and values together.
pub const NOTIFICATION_DATA_BYTES_MAX: usize = 2 * 1024;
/// Bytes of a notification in all.
pub const NOTIFICATION_BYTES_MAX: usize = 4 * 1024;

const _: () = assert!(
    NOTIFICATION_TITLE_BYTES_MAX
        + NOTIFICATION_TEXT_BYTES_MAX
        + NOTIFICATION_SOUND_BYTES_MAX
        + NOTIFICATION_DATA_BYTES_MAX
        <= NOTIFICATION_BYTES_MAX
);

/// Characters of a text in a preview.
pub const PREVIEW_CHARS: usize = 30;

/// Calls of one profile, unless it is configured otherwise.
pub const PROFILE_CALLS_DEFAULT: Rate = Rate {
    per_second: 200,
    burst: 1_000,
};
/// Messages that one profile sends, unless it is configured otherwise.
pub const PROFILE_SENDS_DEFAULT: Rate = Rate {
    per_second: 50,
    burst: 250,
};
/// Messages that an app and all its profiles send together, unless it is configured
/// otherwise: no limit.
pub const APP_SENDS_DEFAULT: Rate = Rate {
    per_second: 0,
    burst: 1_000,
};
/// Calls of `Sys` by one app, unless it is configured otherwise.
pub const APP_CALLS_DEFAULT: Rate = Rate {
    per_second: 1_000,
    burst: 5_000,
};
/// MiB of contents that one profile has sent and that are kept, unless it is configured otherwise.
pub const PROFILE_KEPT_MIB_DEFAULT: u32 = 100;
/// Maximum of that number.
pub const PROFILE_KEPT_MIB_MAX: u32 = 1_000_000;
/// Mailboxes that messages of one profile have created and that their owners have not used, unless it
/// is configured otherwise.
pub const PROFILE_UNUSED_MAILBOXES_DEFAULT: u32 = 1_000;
/// Maximum of that number, which is counted by each send that creates one.
pub const PROFILE_UNUSED_MAILBOXES_MAX: u32 = 10_000;
/// MiB of contents that are kept of one app, unless it is configured otherwise: no limit.
pub const APP_KEPT_MIB_DEFAULT: u32 = 0;
/// Maximum of that number.
pub const APP_KEPT_MIB_MAX: u32 = 1_000_000_000;
/// Mailboxes of one app, unless it is configured otherwise: no limit.
pub const APP_MAILBOXES_DEFAULT: u32 = 0;
/// Maximum of that number.
pub const APP_MAILBOXES_MAX: u32 = 1_000_000_000;
/// The highest rate of a quota, in a second.
pub const QUOTA_PER_SECOND_MAX: u32 = 1_000_000;
/// The largest burst of a quota.
pub const QUOTA_BURST_MAX: u32 = 1_000_000;

/// Messages that one box of a mailbox holds, unless it is configured otherwise.
pub const BOX_MESSAGES_DEFAULT: u32 = 10_000;
/// Percentage of an inbox that is kept free of users' messages, for those of the app, unless the
/// policy says otherwise.
pub const APP_RESERVE_PERCENT_DEFAULT: u32 = 10;
/// Maximum of that percentage.
pub const APP_RESERVE_PERCENT_MAX: u32 = 90;
/// Unread messages of one sender in one inbox, unless the policy says otherwise.
pub const UNREAD_PER_SENDER_DEFAULT: u32 = 200;
/// Maximum of that number.
pub const UNREAD_PER_SENDER_MAX: u32 = 10_000;

/// Profiles that one profile blocks at the most.
pub const BLOCKS_MAX: u32 = 10_000;

/// Participants of a conversation, unless the policy says otherwise.
pub const PARTICIPANTS_DEFAULT: u32 = 25;
/// Participants of a conversation, whatever an app's policy says.
pub const PARTICIPANTS_CAP: u32 = 500;
/// Conversations of one profile at the most.
pub const CONVERSATIONS_MAX: u32 = 2_000;
/// Conversations in one answer. All with as many participants and as much metadata as may be, they fit
/// into [`GET_BYTES_MAX`].
pub const CONVERSATIONS_PER_ANSWER_MAX: u32 = 20;
/// Keys of a path in metadata.
pub const METADATA_DEPTH_MAX: usize = 8;
/// Bytes of a key in metadata.
pub const METADATA_KEY_BYTES_MAX: usize = 64;
/// Bytes of the metadata of a conversation below one first key.
pub const METADATA_PART_BYTES_MAX: usize = 2 * 1024;
/// Bytes of the metadata of a conversation.
pub const METADATA_BYTES_MAX: usize = 16 * 1024;
/// Paths of metadata that one call deletes at the most, or sets.
pub const METADATA_PATHS_MAX: usize = 100;

const _: () = assert!(PARTICIPANTS_DEFAULT <= PARTICIPANTS_CAP);
const _: () = assert!(
    CONVERSATIONS_PER_ANSWER_MAX as usize
        * (PARTICIPANTS_CAP as usize * PROFILE_ID_BYTES_MAX + METADATA_BYTES_MAX)
        < GET_BYTES_MAX
);

/// Entries that one send drops from a full `sent` at the most: a box whose limit was lowered
/// shrinks send by send.
pub const SENT_DROPPED_MAX: u32 = 1_000;

/// Lifetime of a message in milliseconds, unless the policy or the send says otherwise.
pub const EXPIRY_DEFAULT_MS: i64 = 30 * DAY_MS;
/// Maximum lifetime of a user's message in milliseconds, unless the policy says otherwise.
pub const USER_EXPIRY_DEFAULT_MS: i64 = 30 * DAY_MS;
/// Maximum lifetime of a message in milliseconds: ten years.
pub const EXPIRY_MAX_MS: i64 = 3_653 * DAY_MS;
/// Maximum milliseconds for which a message is kept for moderation after all of its holders have
/// deleted it.
pub const KEEP_FOR_MODERATION_MAX_MS: i64 = 365 * DAY_MS;
/// Milliseconds that the answer to a `request_id` is remembered.
pub const IDEMPOTENCY_MS: i64 = 72 * HOUR_MS;

/// Maximum milliseconds by which times and ids are ahead of a clock that was set back.
pub const AHEAD_MAX_MS: i64 = 1_000;

/// Milliseconds that expired rows are kept: longer than a read takes, and
/// than the clocks of replicas differ.
pub const EXPIRED_KEPT_MS: i64 = MINUTE_MS;
/// Milliseconds for which one replica holds the lease of the sweep.
pub const SWEEP_LEASE_MS: i64 = MINUTE_MS;
/// Bulk messages of an app that have neither expired nor been deleted; more are refused.
pub const LIVE_BULK_MAX: u32 = 1_000;
/// Rows over which the tally of a bulk message is spread.
pub const TALLY_SLOTS: i64 = 16;
/// Rows over which the usage of an app is spread.
pub const USAGE_SLOTS: i64 = 16;
/// Time from the beginning of counting the usage of an app to the count of what was there before, in
/// milliseconds: by then, transactions that did not count yet have ended.
pub const USAGE_DELAY_MS: i64 = MINUTE_MS;

/// Rows of a page when the caller names no number.
pub const ROWS_PER_PAGE_DEFAULT: u32 = 50;
/// Rows of a page at the most; more is cut to it.
pub const ROWS_PER_PAGE_MAX: u32 = 200;
/// Maximum number of rows passed over by a `page_number`: it and `rows_per_page` multiplied.
pub const PAGE_JUMP_ROWS_MAX: u64 = 10_000;
/// Rows that one page examines beyond those that a jump passes over.
pub const ROWS_EXAMINED_MAX: u32 = 2_000;
/// Rows that one page examines in all if it looks for a recipient: recipients have no index, and
/// the list of each message must be read.
pub const RECIPIENT_ROWS_EXAMINED_MAX: u32 = 500;
/// Maximum of an asked-for count; counting stops there.
pub const COUNT_MAX: u32 = 10_000;
/// Rows that an asked-for count examines: both boxes of a mailbox, full.
pub const COUNT_EXAMINED_MAX: u32 = 2 * BOX_MESSAGES_DEFAULT;
/// Bytes of content in one page.
pub const PAGE_BYTES_MAX: usize = 512 * 1024;
/// Bytes of content in one answer of `GetMessages`; clients take 4 MiB by default.
pub const GET_BYTES_MAX: usize = 3 * 1024 * 1024;

/// Events of the feed that `GetChanges` answers when the caller names no number.
pub const CHANGES_DEFAULT: u32 = 100;
/// Events of the feed in one answer of `GetChanges`; more is cut to it.
pub const CHANGES_MAX: u32 = 500;
/// Changes that one call of `GetChanges` examines for events of the requested box.
pub const CHANGES_EXAMINED_MAX: u32 = 10_000;
/// Changes of a mailbox that a stream reads at once.
pub const STREAM_CHANGES_MAX: u32 = 128;
/// Bytes in the send buffer of a stream, as stored. With what is being written in the
/// buffers of tonic and h2, a stream holds up to 256 KiB.
pub const STREAM_BYTES_MAX: usize = 64 * 1024;
/// Streams of one profile.
pub const STREAMS_PER_PROFILE_MAX: usize = 20;
/// Milliseconds that a deletion is remembered.
pub const TOMBSTONE_MS: i64 = 7 * DAY_MS;
/// Milliseconds for which each deletion is remembered: by then it is known whether the message has
/// other holders.
pub const TOMBSTONE_MIN_MS: i64 = HOUR_MS;
/// Deletions that a mailbox remembers beyond that.
pub const TOMBSTONES_MAX: u32 = 10_000;

/// Longest time from the issue of a token to its expiry that a configuration can allow, in
/// milliseconds.
pub const TOKEN_LIFE_CAP_MS: i64 = 400 * DAY_MS;
/// Time for which a revocation of tokens is kept, in milliseconds: until the last of them has expired.
pub const REVOCATION_KEPT_MS: i64 = TOKEN_LIFE_CAP_MS + DAY_MS;
/// Time from the request to erase a profile to its erasure, in milliseconds: by then, calls and streams
/// of its revoked tokens have ended.
pub const ERASURE_DELAY_MS: i64 = 2 * MINUTE_MS;
/// Time from the request to erase an app to its erasure, in milliseconds.
pub const APP_ERASURE_DELAY_MS: i64 = DAY_MS;
/// Time from the end of an erasure in the database to its end in the memory of all replicas, in
/// milliseconds.
pub const ERASURE_MEMORY_MS: i64 = HOUR_MS;
/// Ids that one record of the audit log names at the most: those of a send to [`RECIPIENTS_CAP`], and
/// the caller.
pub const AUDIT_IDS_MAX: usize = 512;
/// Records of the audit log that are numbered in one transaction, and trimmed.
pub const AUDIT_STEP_RECORDS: usize = 256;
/// Records of the audit log that one call of `ListAudit` examines.
pub const AUDIT_RECORDS_EXAMINED_MAX: u32 = 1_000;
/// Bytes of a text that `ListAudit` searches for.
pub const AUDIT_FILTER_BYTES_MAX: usize = 256;
/// Milliseconds for which records of the audit log are kept, unless it is configured otherwise.
pub const AUDIT_KEEP_DEFAULT_MS: i64 = 365 * DAY_MS;
/// Milliseconds for which replicas may seal records with the previous key of the audit log after the
/// first record that was sealed with the next one: the time of a rolling restart.
pub const AUDIT_KEY_OVERLAP_MS: i64 = DAY_MS;
/// Milliseconds after which the head of a chain of the audit log is logged again.
pub const AUDIT_HEAD_MS: i64 = HOUR_MS;

const _: () = assert!(RECIPIENTS_CAP + 2 <= AUDIT_IDS_MAX);

/// Violations that an error lists; one line has the number of the others.
pub const VIOLATIONS_LISTED_MAX: usize = 20;

/// Operations in one transaction.
pub const BATCH_OPERATIONS_MAX: usize = 256;
/// Bytes of content in one transaction, but for a single operation.
pub const BATCH_BYTES_MAX: usize = 1024 * 1024;
/// Entries in one transaction, but for a single operation: a long one would keep the
/// others waiting.
pub const BATCH_ENTRIES_MAX: usize = 3 * BATCH_OPERATIONS_MAX;
/// Entries of a box that one transaction settles, clears, marks or deletes, and bulk events that a
/// mailbox takes in one. What is left follows in further transactions, between which the operations
/// of others run.
pub const PART_ENTRIES: usize = 64;
/// Entries from which on an operation is a large one: those do not follow one another while
/// others wait.
pub const LARGE_ENTRIES_MIN: usize = 64;
/// Operations that wait in one queue for their transaction, large ones and others each; more
/// are refused.
pub const QUEUED_OPERATIONS_MAX: usize = 8_192;
/// Bytes of content that wait with them; more is refused.
pub const QUEUED_BYTES_MAX: usize = 64 * 1024 * 1024;

const _: () = assert!(PAGE_BYTES_MAX >= CONTENT_BYTES_CAP);
const _: () = assert!(RECIPIENTS_DEFAULT as usize <= RECIPIENTS_CAP);
const _: () = assert!(CONTENT_BYTES_DEFAULT as usize <= CONTENT_BYTES_CAP);
const _: () = assert!(ROWS_PER_PAGE_DEFAULT <= ROWS_PER_PAGE_MAX);
const _: () = assert!(ROWS_PER_PAGE_MAX < RECIPIENT_ROWS_EXAMINED_MAX);
const _: () = assert!(RECIPIENT_ROWS_EXAMINED_MAX <= ROWS_EXAMINED_MAX);
const _: () = assert!(CHANGES_DEFAULT <= CHANGES_MAX);
const _: () = assert!(STREAM_BYTES_MAX >= CONTENT_BYTES_CAP);

/// Milliseconds of a minute.
pub const MINUTE_MS: i64 = 60 * 1000;
/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;
