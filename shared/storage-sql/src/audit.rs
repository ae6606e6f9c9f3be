//! The audit log: pages for the app, verification and erasure for operators.

mod erasure;
pub mod page;
pub mod verification;

pub use erasure::erase;
