//! Tracked row of a ledger: as it was read, and as it is now.

/// A thing that may have been read, changed, made or removed.
#[derive(Debug)]
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
    /// A thing that the store holds.
    pub(super) const fn read(thing: T) -> Self {
        Self {
            was_read: true,
            changed: false,
            current: Some(thing),
        }
    }

    /// A thing that the store does not hold yet.
    pub(super) const fn new(thing: T) -> Self {
        Self {
            was_read: false,
            changed: true,
            current: Some(thing),
        }
    }

    pub(super) const fn was_read(&self) -> bool {
        self.was_read
    }

    pub(super) const fn current(&self) -> Option<&T> {
        self.current.as_ref()
    }

    /// The thing, to change it.
    pub(super) fn change(&mut self) -> Option<&mut T> {
        self.changed |= self.current.is_some();
        self.current.as_mut()
    }

    pub(super) fn set(&mut self, thing: T) {
        self.changed = true;
        self.current = Some(thing);
    }

    pub(super) fn clear(&mut self) {
        self.changed = true;
        self.current = None;
    }

    pub(super) fn into_write(self) -> Write<T> {
        match (self.was_read, self.changed, self.current) {
            (_, false, _) | (false, _, None) => Write::Nothing,
            (false, _, Some(thing)) => Write::Insert(thing),
            (true, _, Some(thing)) => Write::Update(thing),
            (true, _, None) => Write::Delete,
        }
    }
}
