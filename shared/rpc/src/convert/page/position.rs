//! Position of a page, as its context carries it.

use domain::number::saturating;
use domain::page::{Key, PagePosition};
use domain::{MessageId, Msgbox};
use proto::internal::v1::{PageContextState, RowKey};
use uuid::Uuid;

/// Returns the state of a page's context.
pub(super) fn state(asked: Vec<u8>, position: PagePosition) -> PageContextState {
    PageContextState {
        asked,
        page: position.page,
        first: position.first.map(row_key),
        last: position.last.map(row_key),
    }
}

/// Returns the position in a state; none if it is malformed.
pub(super) fn parse(state: &PageContextState) -> Option<PagePosition> {
    let page = (state.page >= 1).then_some(state.page)?;
    let key = |row: &Option<RowKey>| {
        row.as_ref()
            .map(key)
            .map_or(Some(None), |key| key.map(Some))
    };
    Some(PagePosition {
        page,
        first: key(&state.first)?,
        last: key(&state.last)?,
    })
}

fn row_key(key: Key) -> RowKey {
    RowKey {
        message_id: key.message_id.uuid().as_bytes().to_vec(),
        msgbox: saturating(key.msgbox.code()),
        change: key.change,
    }
}

fn key(row: &RowKey) -> Option<Key> {
    Some(Key {
        message_id: MessageId::new(Uuid::from_slice(&row.message_id).ok()?),
        msgbox: Msgbox::from_code(row.msgbox.into())?,
        change: row.change,
    })
}
