//! Disk syncs of running processes, traced by `strace`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::command::{find, signal};
use crate::process::OutputLines;
use crate::temp_folder::TempFolder;

/// Watches how processes wait for their disk, until it is dropped.
#[derive(Debug)]
pub struct Strace {
    process: Child,
    seen: PathBuf,
    _folder: TempFolder,
}

impl Strace {
    /// Watches processes, their threads, and all that they start. None if there is no
    /// `strace`, or it may not.
    ///
    /// # Panics
    /// If it neither begins nor ends in ten minutes.
    #[must_use]
    pub fn attach(processes: &[u32]) -> Option<Self> {
        let folder = TempFolder::new();
        let seen = folder.join("seen");
        let mut strace = Command::new(find("strace")?);
        strace
            .args(["-f", "-y", "-e", "trace=fdatasync,fsync", "-o"])
            .arg(&seen);
        for process in processes {
            strace.args(["-p", &process.to_string()]);
        }
        let mut process = strace.stderr(Stdio::piped()).spawn().ok()?;
        let said = OutputLines::of(process.stderr.take()?);
        let strace = Self {
            process,
            seen,
            _folder: folder,
        };
        for process in processes {
            // One that has ended in the meantime has nothing more to show.
            let attached = format!("Process {process} attached");
            let ended = format!("{process}): No such process");
            let is_known = |line: &str| line.contains(&attached) || line.contains(&ended);
            said.wait_for(|line| is_known(line).then_some(()))?;
        }
        Some(strace)
    }

    /// Number of finished syncs of files whose paths contain `part`. A process continues only
    /// after its sync is counted.
    ///
    /// # Panics
    /// If what was seen cannot be read.
    #[must_use]
    pub fn syncs(&self, part: &str) -> usize {
        let seen = fs::read_to_string(&self.seen).expect("what was seen");
        // Calls by thread, of which other threads may interleave.
        let mut begun = BTreeMap::new();
        let is_sync = |line: &&str| {
            let (thread, call) = line.split_once(' ').unwrap_or_default();
            let begins = !call.contains("resumed>");
            if begins {
                begun.insert(thread.to_owned(), call.contains(part));
            }
            call.ends_with("= 0") && begun.get(thread) == Some(&true)
        };
        seen.lines().filter(is_sync).count()
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // On SIGTERM it detaches from the processes.
        if matches!(self.process.try_wait(), Ok(None)) {
            signal("TERM", &self.process.id().to_string());
        }
        let _ = self.process.wait();
    }
}
