//! Rust sources of the workspace.

use std::fs;
use std::path::Path;

use support::workspace;

/// Folders of the workspace with sources.
const FOLDERS: [&str; 3] = ["services", "shared", "tests"];

/// A source file.
pub struct SourceFile {
    /// Path within the workspace.
    pub path: String,
    pub text: String,
}

/// All source files of the workspace, in the order of their paths.
pub fn all() -> Vec<SourceFile> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        collect(&workspace::root().join(folder), &mut files);
    }
    files.sort_by(|one: &SourceFile, other| one.path.cmp(&other.path));
    files
}

fn collect(folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let within = path.strip_prefix(workspace::root()).expect("a path within");
            files.push(SourceFile {
                path: within.display().to_string(),
                text: fs::read_to_string(&path).expect("a source file"),
            });
        }
    }
}

/// A line without `pub`, `pub(…)`, `const` and `async` in front.
pub fn declaration(line: &str) -> &str {
    let mut rest = line;
    if let Some(public) = rest.strip_prefix("pub") {
        let scope = public.strip_prefix('(').and_then(|it| it.split_once(')'));
        rest = scope.map_or(public, |(_, rest)| rest).trim_start();
    }
    for word in ["const ", "async "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    rest
}

/// The identifier at the start of a text.
pub fn identifier(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    &text[..end.unwrap_or(text.len())]
}
