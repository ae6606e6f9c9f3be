//! The tables, one file each.

pub mod app;
