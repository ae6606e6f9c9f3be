//! Isolation of reads.

/// The isolation of a read of several statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Each statement sees what was committed when it began (READ COMMITTED).
    Statement,
    /// All statements see one snapshot (REPEATABLE READ).
    Snapshot,
}
