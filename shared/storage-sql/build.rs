//! Embeds the migrations of both databases, in the order of their file names.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Databases, each with a folder of its own and the same file names.
const DATABASES: [&str; 2] = ["postgres", "sqlite"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("migrations");
    println!("cargo::rerun-if-changed={}", folder.display());
    let [postgres, sqlite] = DATABASES.map(|database| file_names(&folder.join(database)));
    let (postgres, sqlite) = (postgres?, sqlite?);
    if postgres != sqlite {
        let text = format!("migrations differ: {postgres:?} for PostgreSQL, {sqlite:?} for SQLite");
        return Err(text.into());
    }
    let mut code = String::new();
    for database in DATABASES {
        let list = format!("{}_MIGRATIONS", database.to_uppercase());
        writeln!(code, "pub const {list}: &[(&str, &str)] = &[")?;
        for name in &postgres {
            let path = folder.join(database).join(name).display().to_string();
            writeln!(code, "    ({name:?}, include_str!({path:?})),")?;
        }
        writeln!(code, "];")?;
    }
    fs::write(
        PathBuf::from(env::var("OUT_DIR")?).join("migrations.rs"),
        code,
    )?;
    Ok(())
}

/// Returns the names of a folder's files, sorted.
fn file_names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for file in fs::read_dir(folder)? {
        names.push(file?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
