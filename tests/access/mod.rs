//! Access: the matrix of callers and methods, quotas by method, isolation of users and apps.

mod isolation;
mod matrix;
mod quotas;
mod table;
