//! The file of an embedded database: its creation, its lock, and its identity.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::db::open_error::OpenError;
use crate::options::FileAccess;

/// Mode of new files: messages are for their owner's eyes.
const MODE: u32 = 0o600;
/// Mode bits of users who are neither the owner nor of the group.
const OTHERS: u32 = 0o007;

/// An open database file. Clones share its lock, which ends with the last of them.
#[derive(Clone)]
pub struct DatabaseFile(Arc<Identified>);

struct Identified {
    path: PathBuf,
    id: FileId,
    /// Lock on a file beside it. One on the file itself would end the locks of `SQLite`, which the
    /// system drops when any descriptor of the file is closed.
    _lock: Option<File>,
}

/// Device and inode of a file.
type FileId = (u64, u64);

impl DatabaseFile {
    /// Finds or creates the file at `path`, and locks it, as `access` asks.
    ///
    /// # Errors
    /// [`OpenError::Missing`], [`OpenError::Exposed`], [`OpenError::InUse`] and [`OpenError::File`].
    pub fn open(path: &Path, access: FileAccess) -> Result<Self, OpenError> {
        let failed = |source| OpenError::File {
            path: path.to_owned(),
            source,
        };
        if access != FileAccess::Existing {
            create(path).map_err(failed)?;
        }
        let metadata = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OpenError::Missing(path.to_owned()));
            }
            metadata => metadata.map_err(failed)?,
        };
        let mode = metadata.mode() & 0o777;
        if mode & OTHERS != 0 {
            let path = path.to_owned();
            return Err(OpenError::Exposed { path, mode });
        }
        let id = id_of(&metadata);
        let lock = match access {
            FileAccess::Exclusive => Some(lock(path)?),
            FileAccess::Create | FileAccess::Existing => None,
        };
        Ok(Self(Arc::new(Identified {
            path: path.to_owned(),
            id,
            _lock: lock,
        })))
    }

    /// Checks that the path still leads to the file that was opened. What is written to a file
    /// that was removed or replaced is lost.
    ///
    /// # Errors
    /// If it does not.
    pub fn check(&self) -> io::Result<()> {
        match identify(&self.0.path) {
            Ok(id) if id == self.0.id => Ok(()),
            Ok(_) => Err(io::Error::other("the database file was replaced")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(io::Error::other("the database file was removed"))
            }
            Err(error) => Err(error),
        }
    }
}

/// Creates an empty file, unless there is one. An existing file is not opened: closing it would end
/// the locks of other stores of this process on it.
fn create(path: &Path) -> io::Result<()> {
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path);
    match created {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

fn lock(database: &Path) -> Result<File, OpenError> {
    let mut path = database.as_os_str().to_owned();
    path.push("-lock");
    let path = PathBuf::from(path);
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(MODE)
        .open(&path);
    let failed = |source| OpenError::File {
        path: path.clone(),
        source,
    };
    let file = opened.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(database.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn identify(path: &Path) -> io::Result<FileId> {
    fs::metadata(path).map(|metadata| id_of(&metadata))
}

fn id_of(metadata: &Metadata) -> FileId {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// A path in a new folder.
    fn path() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("postroom-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).expect("a folder");
        folder.join("postroom.db")
    }

    fn clear(path: &Path) {
        fs::remove_dir_all(path.parent().expect("a folder")).expect("a folder that can go");
    }

    #[test]
    fn a_missing_file_is_created_only_on_demand() {
        let path = path();
        let missing = DatabaseFile::open(&path, FileAccess::Existing);
        assert!(matches!(missing, Err(OpenError::Missing(_))));
        assert!(!path.exists());
        DatabaseFile::open(&path, FileAccess::Create).expect("a file");
        assert_eq!(fs::metadata(&path).expect("a file").mode() & 0o777, MODE);
        DatabaseFile::open(&path, FileAccess::Existing).expect("a file");
        clear(&path);
    }

    #[test]
    fn a_world_accessible_file_is_refused() {
        let path = path();
        for (mode, accepted) in [(0o644, false), (0o602, false), (0o660, true)] {
            fs::write(&path, "").expect("a file");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
            let opened = DatabaseFile::open(&path, FileAccess::Existing);
            assert_eq!(opened.is_ok(), accepted, "{mode:o}");
        }
        clear(&path);
    }

    #[test]
    fn an_exclusive_file_is_refused_until_it_is_closed() {
        let path = path();
        let first = DatabaseFile::open(&path, FileAccess::Exclusive).expect("a file");
        let second = DatabaseFile::open(&path, FileAccess::Exclusive);
        assert!(matches!(second, Err(OpenError::InUse(_))));
        DatabaseFile::open(&path, FileAccess::Existing).expect("a file that others read");
        drop(first);
        DatabaseFile::open(&path, FileAccess::Exclusive).expect("a file");
        clear(&path);
    }

    #[test]
    fn a_removed_or_replaced_file_fails_the_check() {
        let path = path();
        let file = DatabaseFile::open(&path, FileAccess::Create).expect("a file");
        file.check().expect("the same file");
        let elsewhere = path.with_extension("elsewhere");
        fs::rename(&path, &elsewhere).expect("a move");
        file.check().expect_err("no file");
        fs::write(&path, "").expect("another file");
        file.check().expect_err("another file");
        fs::rename(&elsewhere, &path).expect("a move back");
        file.check().expect("the same file");
        clear(&path);
    }
}
