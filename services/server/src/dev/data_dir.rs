//! The data directory, whose files only its owner may access.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::config::{DatabaseUrl, Problem};

const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// Mode bits of group and others.
const OTHERS: u32 = 0o077;

/// A directory with mode 0700.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Opens the directory, and creates it if it does not exist.
    ///
    /// # Errors
    /// If it cannot be created, or others may access it.
    pub fn create(path: &Path) -> Result<Self, Problem> {
        match DirBuilder::new().mode(DIRECTORY_MODE).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                Err(problem(path, &error))
            }
            _ => Self::open(path),
        }
    }

    /// Opens an existing directory.
    ///
    /// # Errors
    /// If it does not exist, or others may access it.
    pub fn open(path: &Path) -> Result<Self, Problem> {
        let path = fs::canonicalize(path).map_err(|error| problem(path, &error))?;
        refuse_others(&path, DIRECTORY_MODE)?;
        Ok(Self(path))
    }

    /// URL of the embedded database.
    pub fn database_url(&self) -> DatabaseUrl {
        DatabaseUrl::sqlite_file(&self.file("postroom.db"))
    }

    /// Path of a file in the directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Reads a file; `None` if it does not exist.
    ///
    /// # Errors
    /// If it cannot be read, or others may read it.
    pub fn read(&self, name: &str) -> Result<Option<String>, Problem> {
        let path = self.file(name);
        match fs::read_to_string(&path) {
            Ok(text) => {
                refuse_others(&path, FILE_MODE)?;
                Ok(Some(text))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(problem(&path, &error)),
        }
    }

    /// Writes a file atomically.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> Result<(), Problem> {
        let path = self.file(name);
        let temporary = self.file(&format!("{name}.{}", std::process::id()));
        write_new(&temporary, text)
            .and_then(|()| fs::rename(&temporary, &path))
            .map_err(|error| problem(&path, &error))
    }
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn refuse_others(path: &Path, wanted: u32) -> Result<(), Problem> {
    let mode = fs::metadata(path)
        .map_err(|error| problem(path, &error))?
        .mode()
        & 0o777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let what = format!("has mode {mode:04o} and must have {wanted:04o}: others could read keys");
    Err(Problem::new(path.display().to_string(), what))
}

fn problem(path: &Path, error: &io::Error) -> Problem {
    Problem::new(path.display().to_string(), error.to_string())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn fresh() -> PathBuf {
        std::env::temp_dir().join(format!("postroom-data-{}", uuid::Uuid::now_v7()))
    }

    fn loosen(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    }

    #[test]
    fn a_created_file_is_accessible_to_its_owner_only() {
        let path = fresh();
        let data = DataDir::create(&path).expect("a directory");
        data.write("key", "secret").expect("a file");

        assert_eq!(fs::metadata(&path).expect("metadata").mode() & 0o777, 0o700);
        assert_eq!(
            fs::metadata(data.file("key")).expect("metadata").mode() & 0o777,
            0o600
        );
        assert_eq!(
            data.read("key").expect("readable").as_deref(),
            Some("secret")
        );
        assert_eq!(data.read("other").expect("readable"), None);
        fs::remove_dir_all(path).expect("an end");
    }

    #[test]
    fn a_file_readable_by_other_users_is_refused() {
        let path = fresh();
        let data = DataDir::create(&path).expect("a directory");
        data.write("key", "secret").expect("a file");

        loosen(&data.file("key"), 0o640);
        assert!(
            data.read("key")
                .expect_err("refused")
                .to_string()
                .contains("0640")
        );
        loosen(&path, 0o755);
        assert!(
            DataDir::open(&path)
                .expect_err("refused")
                .to_string()
                .contains("0755")
        );
        fs::remove_dir_all(path).expect("an end");
    }
}
