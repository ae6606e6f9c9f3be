//! A test in a process of its own, for logs that belong to a whole process.

use std::process::Command;

use support::postgres::{URL_VARIABLE, shared};
use support::store::DatabaseKind;

/// Runs that test of a module for one database again, with a variable by which it knows
/// that it is alone.
pub fn run(module: &str, test: &str, backend: DatabaseKind, variable: &str) {
    let (_, module) = module.split_once("::").expect("a module");
    let backend_module = match backend {
        DatabaseKind::Sqlite => "sqlite",
        DatabaseKind::Postgres => "postgres",
    };
    let name = format!("{module}::{backend_module}::{test}");
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    command.args(["--exact", &name]).env(variable, "1");
    if backend == DatabaseKind::Postgres {
        command.env(URL_VARIABLE, shared().url());
    }
    let output = command.output().expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "{said}");
}
