//! The phrases in which the comments of the contract state each limit.

mod calls;
mod contents;
mod conversations;
mod feed;
mod pages;
mod records;
mod sends;
mod settings;

/// Phrases with the last parts of the full names of the elements that they apply to.
type Phrases = Vec<(&'static str, String)>;

/// Returns the phrases of all limits.
pub fn all() -> Phrases {
    let groups = [
        contents::limits_of_ids(),
        contents::limits_of_contents(),
        sends::limits_of_sends(),
        pages::limits_of_pages(),
        feed::limits_of_the_feed(),
        settings::limits_of_settings(),
        settings::kept_limits(),
        records::limits_of_the_audit_log(),
        records::limits_of_erasures(),
        conversations::limits_of_conversations(),
        calls::limits_of_calls(),
        calls::limits_of_callers(),
    ];
    groups.into_iter().flatten().collect()
}
