//! Files that hold secrets or decide who is trusted: others must not read the former, nor replace
//! the latter.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Mode bits of users who are neither the owner nor of the group.
const OTHERS: u32 = 0o007;
/// Bit of these for writing.
const WRITTEN_BY_OTHERS: u32 = 0o002;

/// Reads a secret file, without whitespace at its end.
///
/// # Errors
/// If it cannot be read, is empty, or others may access it.
pub fn read_secret(path: &Path) -> io::Result<String> {
    check_secret(path)?;
    let text = fs::read_to_string(path)?;
    match text.trim_end() {
        "" => Err(io::Error::other("is empty")),
        secret => Ok(secret.to_owned()),
    }
}

/// Checks that only the owner and the group of a file may access it. Credentials of systemd are
/// readable by a group.
///
/// # Errors
/// If others may access it, or its mode cannot be read.
pub fn check_secret(path: &Path) -> io::Result<()> {
    check(path, OTHERS, "anybody could read secrets: chmod o=")
}

/// Checks that only the owner and the group of a file may write to it.
///
/// # Errors
/// If others may write to it, or its mode cannot be read.
pub fn check_trusted(path: &Path) -> io::Result<()> {
    check(
        path,
        WRITTEN_BY_OTHERS,
        "anybody could replace what it says: chmod o-w",
    )
}

fn check(path: &Path, refused: u32, why: &str) -> io::Result<()> {
    let mode = fs::metadata(path)?.mode() & 0o777;
    if mode & refused == 0 {
        return Ok(());
    }
    Err(io::Error::other(format!("has mode {mode:04o}, {why}")))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_mode_of_a_file_decides_whether_it_is_protected() {
        let path = std::env::temp_dir().join(format!("postroom-secret-{}", uuid::Uuid::now_v7()));
        fs::write(&path, "secret\n").expect("a file");
        for (mode, is_secret, is_trusted) in [
            (0o400, true, true),
            (0o640, true, true),
            (0o644, false, true),
            (0o641, false, true),
            (0o646, false, false),
            (0o622, false, false),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
            assert_eq!(check_secret(&path).is_ok(), is_secret, "{mode:o}");
            assert_eq!(read_secret(&path).is_ok(), is_secret, "{mode:o}");
            assert_eq!(check_trusted(&path).is_ok(), is_trusted, "{mode:o}");
        }
        fs::remove_file(&path).expect("an end");
    }
}
