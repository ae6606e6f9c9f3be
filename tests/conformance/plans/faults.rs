//! Faults of a plan: steps whose cost grows with a mailbox or an app instead of with the keys.

/// Tables that grow, and the columns of their keys.
const KEYS: [(&str, &[&str]); 17] = [
    ("mailbox", &["app_no", "mailbox_id", "profile_id"]),
    ("message", &["app_no", "message_id"]),
    ("msgbox", &["app_no", "mailbox_id", "box", "message_id"]),
    ("msgbox_deleted", &["app_no", "mailbox_id", "seq"]),
    ("bulk", &["app_no", "bulk_no", "message_id"]),
    ("bulk_tally", &["app_no", "message_id", "slot"]),
    ("send_job", &["app_no", "job_id"]),
    ("send_chunk", &["app_no", "job_id", "run_no", "chunk_no"]),
    ("request", &["app_no", "request_key"]),
    ("block", &["app_no", "mailbox_id", "profile_id"]),
    (
        "conversation",
        &["app_no", "conversation_id", "distinct_key"],
    ),
    ("participant", &["app_no", "mailbox_id", "conversation_id"]),
    ("revocation", &["app_no", "profile_id"]),
    ("erasure", &["app_no", "profile_key"]),
    ("app_usage", &["app_no", "slot"]),
    ("audit", &["app_no", "record_id"]),
    ("audit_id", &["app_no", "record_id"]),
];

/// Tables that the feed and the pages of a mailbox read in the order of an index.
const ORDERED: [&str; 2] = ["msgbox", "msgbox_deleted"];

/// Returns the lines of a plan that compare rows with keys one by one, or sort what an index has
/// in order.
pub fn faults(plan: &[String]) -> Vec<&str> {
    let mut keys: Option<&[&str]> = None;
    let mut is_sorting = false;
    let mut faults = Vec::new();
    for line in plan {
        let detail = line.trim();
        if is_step(line, plan) {
            let table = scanned(line);
            keys = table.and_then(keys_of);
            if is_sorting && table.is_some_and(|table| ORDERED.contains(&table)) {
                faults.push(detail);
            }
            is_sorting = false;
        }
        is_sorting |= detail.starts_with("Sort Key: ");
        let is_filter = detail.starts_with("Filter: ");
        let is_key_filter = is_filter && keys.is_some_and(|keys| names_one(detail, keys));
        if detail.starts_with("Join Filter: ") || is_key_filter {
            faults.push(detail);
        }
    }
    faults
}

/// True for a line that names a step, not a detail of one.
fn is_step(line: &str, plan: &[String]) -> bool {
    line.contains("->") || plan.first().is_some_and(|first| first == line)
}

/// The table that a step scans.
fn scanned(step: &str) -> Option<&str> {
    let (kind, table) = step.split_once(" on ")?;
    let is_table = !kind.contains("CTE Scan") && !kind.contains("Bitmap Index Scan");
    table.split_whitespace().next().filter(|_| is_table)
}

fn keys_of(table: &str) -> Option<&'static [&'static str]> {
    let found = KEYS.iter().find(|(name, _)| *name == table);
    found.map(|(_, keys)| *keys)
}

/// True if a filter has a key column of the table that it filters. `PostgreSQL` writes those of
/// other tables with an alias. With `+ 0`, a column filters on purpose.
fn names_one(filter: &str, keys: &[&str]) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || "_.\"$".contains(letter);
    let words = filter.split_inclusive(|letter| !is_word(letter));
    let mut rest = filter;
    words.into_iter().any(|word| {
        rest = &rest[word.len()..];
        let name = word.trim_end_matches(|letter| !is_word(letter));
        keys.contains(&name) && !rest.starts_with("+ 0")
    })
}
