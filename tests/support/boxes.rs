//! Boxes in responses.

use proto::v1::Msgbox;

/// Returns the box of a name, with its counts.
///
/// # Panics
/// If the response has no box of this name, or more than one.
#[must_use]
pub fn named<'a>(boxes: &'a [Msgbox], name: &str) -> &'a Msgbox {
    let found: Vec<_> = boxes.iter().filter(|msgbox| msgbox.name == name).collect();
    assert_eq!(found.len(), 1, "{name} among {boxes:?}");
    found[0]
}
