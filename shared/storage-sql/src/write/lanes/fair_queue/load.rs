//! Load of a queue, and its bounds.

use domain::limits::{QUEUED_BYTES_MAX, QUEUED_OPERATIONS_MAX};

use super::super::batch::QueuedOperation;

/// The operations in a queue, and the bytes of their contents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    pub operations: usize,
    pub bytes: usize,
}

/// A bounded part of the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Bounded by [`QUEUED_OPERATIONS_MAX`].
    Operations,
    /// Bounded by [`QUEUED_BYTES_MAX`].
    Bytes,
}

impl Load {
    pub const fn of(operation: &QueuedOperation) -> Self {
        Self {
            operations: 1,
            bytes: operation.weight.bytes,
        }
    }

    pub const fn of_resource(self, resource: Resource) -> usize {
        match resource {
            Resource::Operations => self.operations,
            Resource::Bytes => self.bytes,
        }
    }

    /// Returns the resources that `more` would exhaust.
    pub fn exhausted_by(self, more: Self) -> impl Iterator<Item = Resource> {
        let operations = self.operations + more.operations > QUEUED_OPERATIONS_MAX;
        let bytes = self.bytes + more.bytes > QUEUED_BYTES_MAX;
        let operations = operations.then_some(Resource::Operations);
        operations
            .into_iter()
            .chain(bytes.then_some(Resource::Bytes))
    }

    pub const fn add(&mut self, other: Self) {
        self.operations += other.operations;
        self.bytes += other.bytes;
    }

    pub const fn subtract(&mut self, other: Self) {
        self.operations -= other.operations;
        self.bytes -= other.bytes;
    }
}
