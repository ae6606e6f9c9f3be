//! A clock that a test sets while programs run, by `libfaketime`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use crate::installer::PythonPackage;
use crate::temp_folder::TempFolder;

/// The library, built.
const PACKAGE: PythonPackage = PythonPackage {
    requirement: "libfaketime==3.0.1",
    is_wheel: true,
    programs: &[],
};
/// Path of the library in the package.
const LIBRARY: &str = "libfaketime/vendor/libfaketime/src/libfaketime.so.1";

/// The clock of programs that are started with its variables. The time that passes stays real.
#[derive(Debug)]
pub struct FakeClock {
    folder: TempFolder,
}

impl FakeClock {
    /// A clock that is right. Fetches the library if it is missing.
    ///
    /// # Panics
    /// If the library cannot be had.
    #[must_use]
    pub fn new() -> Self {
        let package = PACKAGE
            .unpacked()
            .unwrap_or_else(|error| panic!("libfaketime is needed: {error:#}"));
        let folder = TempFolder::new();
        // Read by programs of other users, too.
        let readable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), readable).expect("a folder of ours");
        let clock = Self { folder };
        fs::copy(package.join(LIBRARY), clock.library()).expect("the library of the package");
        clock.set_right();
        clock
    }

    /// Sets how the clock differs from the real one, such as `+45d`, `-1h`, or `+0 x1.5`.
    ///
    /// # Panics
    /// If its file cannot be written.
    pub fn set(&self, difference: &str) {
        let (new, file) = (self.folder.join("new"), self.file());
        fs::write(&new, difference).expect("a file of ours");
        fs::rename(new, file).expect("a file of ours");
    }

    /// Sets the clock right.
    pub fn set_right(&self) {
        self.set("+0 x1");
    }

    /// Variables of the programs.
    #[must_use]
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("LD_PRELOAD", self.library().display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file().display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }

    fn library(&self) -> PathBuf {
        self.folder.join("libfaketime.so.1")
    }

    fn file(&self) -> PathBuf {
        self.folder.join("time")
    }
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}
