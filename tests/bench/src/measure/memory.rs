//! The memory that a process has, from `/proc`.

use std::fs;

use anyhow::Context as _;

/// Unit of the sizes in `/proc`, in bytes.
const KIBIBYTE: u64 = 1024;

/// Bytes of a process that are in memory.
///
/// # Errors
/// If there is no such process.
pub fn of_process(process: u32) -> anyhow::Result<u64> {
    read(process, "VmRSS:")
}

/// The most bytes of a process that were ever in memory.
///
/// # Errors
/// If there is no such process.
pub fn peak_of_process(process: u32) -> anyhow::Result<u64> {
    read(process, "VmHWM:")
}

fn read(process: u32, name: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/status");
    let text = fs::read_to_string(&path).context(path)?;
    size(&text, name).context("a size")
}

fn size(status: &str, name: &str) -> Option<u64> {
    let size = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = size.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(KIBIBYTE * kibibytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_in_bytes() {
        let status = "VmHWM:\t   99999 kB\nVmRSS:\t   12345 kB\nRssAnon:\t    4321 kB\n";
        assert_eq!(size(status, "VmRSS:"), Some(12_345 * 1024));
        assert_eq!(size(status, "VmHWM:"), Some(99_999 * 1024));
        assert_eq!(size("Name:\tkthreadd\n", "VmRSS:"), None);
    }
}
