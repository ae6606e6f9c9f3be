//! Support of the tests: real databases, the real layers, the real program.
//!
//! - [`store`] gives a test a store of its own, once on each database.
//! - [`service`] puts the real services and layers over such a store, without a socket.
//! - [`process`] runs the real `postroom`; [`commit_proxy`] cuts its connections in the middle of a
//!   commit, [`tcp_proxy`] cuts them or lets them hang at any time.
//! - [`fake_clock`] sets the clocks of programs.
//! - [`postgres`] and [`tools`] find the foreign programs, or install them. What cannot be
//!   had fails the tests that need it, with a word on how to get it; none is skipped.

pub mod boxes;
pub mod certificates;
pub mod clock;
pub mod command;
pub mod commit_proxy;
pub mod coverage;
pub mod drift;
pub mod fake_clock;
pub mod fuzz;
pub mod gears;
pub mod http;
pub mod ids;
pub mod installer;
pub mod issuer;
pub mod packages;
pub mod postgres;
pub mod process;
pub mod raw_http2;
pub mod secret_file;
pub mod service;
pub mod store;
pub mod strace;
pub mod tcp_proxy;
pub mod temp_folder;
pub mod tools;
pub mod workspace;
