//! The databases: all that knows how statements are bound, run and answered, and nothing of
//! what they say.

pub mod backend;
pub mod bind;
pub mod column;
pub mod connection;
pub mod database_file;
pub mod dialect;
pub mod epoch;
pub mod error;
pub mod isolation;
pub mod migrate;
pub mod migrations;
pub mod notification;
pub mod open_error;
pub mod pool;
pub mod retry;
pub mod row;
pub mod row_statement;
pub mod statement;
