//! Look-ups by message ids for a response.

use std::mem::take;

use domain::MessageId;
use domain::limits::GET_BYTES_MAX;
use prost::Message;
use storage::{Error, Lookup};

use super::size;

/// Looks up messages with `read`, which shows them, until the response is filled or nothing
/// remains. A read is limited by the contents that it loads, the response by what the view shows
/// of them.
///
/// # Errors
/// Those of `read`.
pub async fn fill<T, F>(
    message_ids: Vec<MessageId>,
    read: impl Fn(Vec<MessageId>) -> F,
) -> Result<Lookup<(MessageId, T)>, Error>
where
    T: Message,
    F: Future<Output = Result<Lookup<(MessageId, T)>, Error>>,
{
    let shown = |items: &[(MessageId, T)]| {
        let items = items.iter().map(|(_, item)| item);
        size::is_filled(items, GET_BYTES_MAX)
    };
    let mut all = read(message_ids).await?;
    while !all.remaining.is_empty() && !shown(&all.found) {
        let next = read(take(&mut all.remaining)).await?;
        all.found.extend(next.found);
        all.remaining = next.remaining;
    }
    let others = size::fit(&mut all.found, GET_BYTES_MAX, |(_, item)| size::sent(item));
    let others = others.into_iter().map(|(message_id, _)| message_id);
    all.remaining.splice(..0, others);
    Ok(all)
}

/// Returns the result of a read with its items shown.
///
/// # Errors
/// Those of `show`.
pub fn shown<S, T>(
    read: Lookup<S>,
    message_id: impl Fn(&S) -> MessageId,
    show: impl Fn(&S) -> Result<T, Error>,
) -> Result<Lookup<(MessageId, T)>, Error> {
    let found = read.found.into_iter();
    let shown = found.map(|item| Ok((message_id(&item), show(&item)?)));
    Ok(Lookup {
        found: shown.collect::<Result<_, Error>>()?,
        remaining: read.remaining,
    })
}
