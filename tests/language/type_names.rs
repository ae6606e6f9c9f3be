//! Type names: each means one thing in the workspace, private ones included.

use std::collections::{BTreeMap, BTreeSet};

use super::sources::{all, declaration, identifier};

/// Names that several files may define.
const COMMON: [&str; 7] = [
    "Args", "Command", "Config", "Error", "Kind", "Options", "Service",
];
const KEYWORDS: [&str; 4] = ["struct ", "enum ", "trait ", "type "];

/// Files by the type names that they define outside any block.
fn definitions() -> BTreeMap<String, BTreeSet<String>> {
    let mut definitions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in all() {
        for line in file.text.lines() {
            let declaration = declaration(line);
            let name = KEYWORDS
                .iter()
                .find_map(|keyword| declaration.strip_prefix(keyword));
            if let Some(name) = name {
                let files = definitions.entry(identifier(name).to_owned()).or_default();
                files.insert(file.path.clone());
            }
        }
    }
    definitions
}

#[test]
fn a_type_name_is_defined_in_one_file() {
    let mut repeated = definitions();
    repeated.retain(|name, files| files.len() > 1 && !COMMON.contains(&name.as_str()));
    assert!(repeated.is_empty(), "{repeated:#?}");
}
