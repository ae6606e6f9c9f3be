//! Machine of a run.

use std::fs;

use serde::Serialize;

/// A machine, and the programs on it that matter.
#[derive(Debug, Serialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub kernel: String,
    pub postgres: Option<String>,
}

impl Machine {
    /// This one; what it does not tell is empty.
    pub fn this(postgres: Option<String>) -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let kernel = read("/proc/sys/kernel/osrelease").trim().to_owned();
        let memory_kib: u64 = field(&read("/proc/meminfo"), "MemTotal")
            .and_then(|text| text.trim_end_matches(" kB").parse().ok())
            .unwrap_or_default();
        Self {
            processor: field(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            memory_gib: memory_kib.div_ceil(1024 * 1024),
            kernel,
            postgres,
        }
    }

    /// Description in one line.
    pub fn line(&self) -> String {
        let postgres = self.postgres.as_deref();
        let postgres = postgres.map(|version| format!(", PostgreSQL {version}"));
        format!(
            "{} cores of {}, {} GiB, Linux {}{}",
            self.cores,
            self.processor,
            self.memory_gib,
            self.kernel,
            postgres.unwrap_or_default()
        )
    }
}

fn field(text: &str, name: &str) -> Option<String> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = pairs.find(|(key, _)| key.trim() == name)?;
    Some(value.trim().to_owned())
}
