//! Links of the READMEs to files of the workspace.

use std::fs;

use support::workspace;

/// READMEs whose links are checked.
const READMES: [&str; 4] = [
    "README.md",
    "shared/README.md",
    "tests/README.md",
    "tests/bench/README.md",
];

/// Targets of the links of a Markdown text, without those on the web and within the text.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

#[test]
fn links_of_the_readmes_lead_to_files() {
    let root = workspace::root();
    let mut broken = Vec::new();
    for readme in READMES {
        let path = root.join(readme);
        let folder = path.parent().expect("a folder");
        let text = fs::read_to_string(&path).expect("a README");
        let missing = links(&text).filter(|target| !folder.join(target).exists());
        broken.extend(missing.map(|target| format!("{readme}: {target}")));
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
