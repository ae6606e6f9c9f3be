//! Types and values of the parameters of a statement, by the columns that they are compared with.

use uuid::Uuid;

use super::states::{EXPIRE_MS, FIRST_MESSAGE};

/// Current time, before any expiry.
const NOW_MS: i64 = EXPIRE_MS - 1;

/// The parameters of a statement, for a batch of some size.
pub struct Parameters {
    /// Types, separated by commas.
    pub types: String,
    /// Values as literals, separated by commas.
    pub values: String,
    /// True if the statement has a batch.
    pub is_batch: bool,
}

/// The parameters of a statement with a batch of `rows`.
pub fn parameters(text: &str, rows: u128) -> Parameters {
    let tokens = tokens(text);
    let columns = batch_columns(text);
    let is_used = |number: &usize| text.contains(&format!("${number}"));
    let count = (1..=50).rev().find(is_used).unwrap_or(0);
    let scalars = count - columns.len();
    let (mut types, mut values) = (Vec::new(), Vec::new());
    for number in 1..=count {
        let column = columns.get(number.wrapping_sub(scalars + 1));
        let column = column.copied();
        let meaning = column.unwrap_or_else(|| compared_with(&tokens, number));
        let kind = kind(meaning);
        if column.is_some() {
            let all: Vec<String> = (0..rows).map(|row| value(meaning, row)).collect();
            types.push(format!("{kind}[]"));
            values.push(format!("'{{{}}}'", all.join(",")));
        } else {
            types.push(kind.to_owned());
            values.push(format!("'{}'", value(meaning, 0)));
        }
    }
    Parameters {
        types: types.join(", "),
        values: values.join(", "),
        is_batch: !columns.is_empty(),
    }
}

/// Names of the columns of the batch, which come last among the parameters.
fn batch_columns(text: &str) -> Vec<&str> {
    let names = text.split_once("WITH ORDINALITY AS r (");
    let names = names.and_then(|(_, rest)| rest.split_once(", ord)"));
    names.map_or(Vec::new(), |(names, _)| names.split(", ").collect())
}

/// Words, with each bracket and comma as one of its own.
fn tokens(text: &str) -> Vec<String> {
    let mut apart = text.to_owned();
    for mark in ["(", ")", ","] {
        apart = apart.replace(mark, &format!(" {mark} "));
    }
    apart.split_whitespace().map(str::to_owned).collect()
}

/// The column that a parameter is compared with or stands for, `limit`, or nothing.
fn compared_with(tokens: &[String], number: usize) -> &str {
    let parameter = format!("${number}");
    let mut places = (0..tokens.len()).filter(|place| tokens[*place] == parameter);
    let found = places.find_map(|place| column_at(tokens, place));
    found.map_or("", |column| {
        column.rsplit_once('.').map_or(column, |(_, name)| name)
    })
}

fn column_at(tokens: &[String], place: usize) -> Option<&str> {
    let at = |offset: isize| {
        let place = place.checked_add_signed(offset);
        place
            .and_then(|place| tokens.get(place))
            .map_or("", String::as_str)
    };
    let is_comparison = |token: &str| ["=", "<", ">", "<=", ">="].contains(&token);
    if ["LIMIT", "OFFSET"].contains(&at(-1)) {
        return Some("limit");
    }
    if is_comparison(at(-1)) {
        // `column = $1`, and `column + 0 > $1`.
        return Some(if at(-2) == "0" && at(-3) == "+" {
            at(-4)
        } else {
            at(-2)
        });
    }
    if at(-2) == "CAST" {
        // `CAST ( $1 AS int ) AS column`, and the start of a walk over all apps.
        return Some(if at(4) == "AS" { at(5) } else { "app_no" });
    }
    // `( a , b ) > ( $1 , $2 )`: the column at the same place of the other list.
    let opens = |end: usize| tokens[..end].iter().rposition(|token| token == "(");
    let list = opens(place).filter(|open| *open > 0 && is_comparison(&tokens[open - 1]));
    if let Some(list) = list
        && let Some(columns) = opens(list)
    {
        return tokens.get(columns + place - list).map(String::as_str);
    }
    if at(1) == ")" && at(2) == ">" {
        // `strpos ( text , $1 ) > 0`.
        return Some("recipients");
    }
    // `coalesce ( ( … ) , $1 )`.
    (at(-2) == ")" && at(1) == ")").then_some("message_id")
}

fn kind(column: &str) -> &'static str {
    match column {
        "message_id" | "job_id" | "record_id" | "profile_key" | "after_id" | "conversation_id" => {
            "uuid"
        }
        "profile_id" | "sender_profile_id" | "sender_name" | "sender_pic" | "app_id"
        | "recipients" | "participants" | "metadata" | "creator_profile_id" => "text",
        "request_key" | "distinct_key" | "create_fingerprint" | "digest" | "content"
        | "notification" | "ids" | "seal" => "bytea",
        _ if column.ends_with("mac") => "bytea",
        _ => "int8",
    }
}

fn value(column: &str, row: u128) -> String {
    match column {
        "message_id" | "job_id" | "record_id" | "profile_key" | "after_id" | "conversation_id" => {
            Uuid::from_u128(FIRST_MESSAGE + row).to_string()
        }
        "profile_id" | "sender_profile_id" | "recipients" => "b".to_owned(),
        "box" => "0".to_owned(),
        "limit" => "100".to_owned(),
        "seq" => "5000".to_owned(),
        _ if column.ends_with("_ms") => NOW_MS.to_string(),
        // The first app, its first mailbox, and whatever else is a number.
        _ => "1".to_owned(),
    }
}
