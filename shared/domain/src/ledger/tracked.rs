//! Tracked row of a ledger: as it was read, and as it is now.

/// Row that may have been read, changed, added or removed.
#[derive(Debug, Default)]
pub(super) struct Tracked<T> {
    was_read: bool,
    changed: bool,
    current: Option<T>,
}

/// Change of a tracked row that has to be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Write<T> {
    Nothing,
    Insert(T),
    Update(T),
    Delete,
}

impl<T> Tracked<T> {
    /// A row as it is stored.
    pub(super) const fn read(row: T) -> Self {
        Self {
            was_read: true,
            changed: false,
            current: Some(row),
        }
    }

    /// A row that does not exist.
    pub(super) const fn missing() -> Self {
        Self {
            was_read: false,
            changed: false,
            current: None,
        }
    }

    /// A row to be inserted.
    pub(super) const fn new(row: T) -> Self {
        Self {
            was_read: false,
            changed: true,
            current: Some(row),
        }
    }

    pub(super) const fn was_read(&self) -> bool {
        self.was_read
    }

    pub(super) const fn current(&self) -> Option<&T> {
        self.current.as_ref()
    }

    /// The row, to change it.
    pub(super) fn change(&mut self) -> Option<&mut T> {
        self.changed |= self.current.is_some();
        self.current.as_mut()
    }

    pub(super) fn set(&mut self, row: T) {
        self.changed = true;
        self.current = Some(row);
    }

    pub(super) fn clear(&mut self) {
        self.changed = true;
        self.current = None;
    }

    pub(super) fn into_write(self) -> Write<T> {
        match (self.was_read, self.changed, self.current) {
            (_, false, _) | (false, _, None) => Write::Nothing,
            (false, _, Some(row)) => Write::Insert(row),
            (true, _, Some(row)) => Write::Update(row),
            (true, _, None) => Write::Delete,
        }
    }
}
