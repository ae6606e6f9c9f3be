//! Contract of each method, through the real layers and over both databases.

mod apps;
pub mod audit;
pub mod builders;
mod contents;
pub mod conversations;
mod digests;
pub mod messaging;
mod pages;
mod profile_ids;
mod quotas;
pub mod request_ids;
mod sizes;
pub mod sys;
mod views;
