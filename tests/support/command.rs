//! Running other programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// Longest run of a program. Only one that hangs reaches it.
const PATIENCE: Duration = Duration::from_mins(10);

/// Runs a program to its end and takes what it printed.
///
/// # Errors
/// If it cannot be started, or fails; then with what it said.
pub fn run(command: &mut Command) -> anyhow::Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{program} cannot be started"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{program} failed ({}): {}", output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a program to its end, however that is.
///
/// # Panics
/// If it cannot be started, or has not ended in ten minutes; then it is killed.
#[must_use]
pub fn output(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let process = command.spawn().expect("it starts");
    let id = process.id().to_string();
    let (ended, end) = mpsc::channel();
    thread::spawn(move || ended.send(process.wait_with_output()));
    if let Ok(output) = end.recv_timeout(PATIENCE) {
        return output.expect("an end");
    }
    signal("KILL", &id);
    panic!("it does not end: {command:?}")
}

/// Sends a signal to a process.
///
/// # Panics
/// If there is no such process.
pub fn signal(name: &str, process: &str) {
    let mut sh = Command::new("sh");
    run(sh.args(["-c", r#"kill -s "$0" "$1""#, name, process])).expect("a signal");
}

/// Path of a program in `PATH`.
#[must_use]
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// True if this process runs as root.
#[must_use]
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|process| process.uid() == 0)
}
