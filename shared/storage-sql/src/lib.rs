//! The store on `SQLite` and `PostgreSQL`, written once for both.
//!
//! - `backend` is the whole list of what differs between the two.
//! - `statement` and `rows` make one text serve both, with a batch of rows if need be.
//! - `executor` is the walk of every write; `read` holds the questions.
//! - `store` is the port's [`storage::MailStore`], `open` the way to it from a url.

mod apps;
mod audit;
mod backend;
mod carrier;
mod connection;
mod contents;
mod epoch;
mod error;
mod executor;
mod fields;
mod ids;
mod lane;
mod migrate;
mod open;
mod options;
mod read;
mod retry;
mod rows;
mod segment;
mod statement;
mod store;
mod sweep;
mod trim;
mod warm;

pub use backend::Backend;
pub use executor::Verdict;
pub use ids::{MonotonicIds, SystemClock};
pub use migrate::Step;
pub use open::{OpenError, migrate_status, migrate_up, open, open_backend};
pub use options::{Lanes, Notify, Options, READ_CONNECTIONS, WRITE_CONNECTIONS};
pub use sqlx::{Postgres, Sqlite};
pub use store::SqlStore;
