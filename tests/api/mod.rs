//! What each method promises, through the real layers.

mod apps;
mod contents;
mod digests;
mod messaging;
mod pages;
mod quotas;
mod request_ids;
pub mod sys;
mod views;
pub mod words;
