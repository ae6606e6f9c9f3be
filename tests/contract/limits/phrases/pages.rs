//! Limits of lookups and pages.

use ::domain::limits as domain;

use super::super::units::{at_most_text, cut, number, size};
use super::Phrases;

pub fn limits_of_pages() -> Phrases {
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
