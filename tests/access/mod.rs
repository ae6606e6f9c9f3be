//! Who may call what, and what callers see of each other.

mod isolation;
mod matrix;
mod quotas;
mod table;
