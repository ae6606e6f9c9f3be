//! The time that processes have spent on a processor, user and system, from `/proc`.

use std::fs;

use anyhow::Context as _;

/// Microseconds of a tick: Linux shows 100 of them a second.
const TICK_US: u64 = 10_000;
/// The place of the parent among the fields after the program's name.
const PARENT: usize = 1;
/// The places of user and system time.
const OWN: [usize; 2] = [11, 12];
/// The places of the same of children that have ended.
const ENDED_CHILDREN: [usize; 2] = [13, 14];

/// Microseconds of one process.
///
/// # Errors
/// If there is no such process.
pub fn of_process(process: u32) -> anyhow::Result<u64> {
    let fields = fields(process)?;
    Ok(TICK_US * sum(&fields, OWN))
}

/// Microseconds of several.
///
/// # Errors
/// If one of them has ended.
pub fn of_processes(processes: &[u32]) -> anyhow::Result<u64> {
    processes.iter().map(|process| of_process(*process)).sum()
}

/// Microseconds of a process and all its children, those included that have ended.
///
/// # Errors
/// If there is no such process.
pub fn of_family(parent: u32) -> anyhow::Result<u64> {
    let fields_of_parent = fields(parent)?;
    let mut ticks = sum(&fields_of_parent, OWN) + sum(&fields_of_parent, ENDED_CHILDREN);
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // It may have ended meanwhile.
        let Ok(fields) = fields(process) else {
            continue;
        };
        if fields.get(PARENT) == Some(&u64::from(parent)) {
            ticks += sum(&fields, OWN);
        }
    }
    Ok(TICK_US * ticks)
}

/// The parent of a process.
///
/// # Errors
/// If there is no such process.
pub fn parent(process: u32) -> anyhow::Result<u32> {
    let parent = fields(process)?.get(PARENT).copied().context("a parent")?;
    Ok(u32::try_from(parent)?)
}

/// The fields after the name in parentheses; the state, a letter, counts as 0.
fn fields(process: u32) -> anyhow::Result<Vec<u64>> {
    let path = format!("/proc/{process}/stat");
    let text = fs::read_to_string(&path).context(path)?;
    let (_, fields) = text.rsplit_once(')').context("a name in parentheses")?;
    Ok(fields
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect())
}

fn sum(fields: &[u64], places: [usize; 2]) -> u64 {
    places.iter().filter_map(|place| fields.get(*place)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_belongs_to_the_family_of_its_parent() {
        let me = std::process::id();
        let above = parent(me).expect("a parent");
        assert!(of_family(above).expect("a time") >= of_process(me).expect("a time"));
    }
}
