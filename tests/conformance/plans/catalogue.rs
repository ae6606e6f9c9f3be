//! The statements of the store, from the golden file that its catalogue is held against.

use std::fs;

use support::workspace;

/// Golden file of the statements for `PostgreSQL`.
const GOLDEN: &str = "shared/storage-sql/src/snapshots/\
                      postroom_storage_sql__statement_catalogue__postgres.snap";

/// A statement as `PostgreSQL` runs it.
pub struct CatalogueStatement {
    /// Name, `table.action`.
    pub name: String,
    pub text: String,
}

/// All statements, by name.
pub fn statements() -> Vec<CatalogueStatement> {
    let golden = fs::read_to_string(workspace::root().join(GOLDEN)).expect("a golden file");
    let (_, texts) = golden.split_once("\n---\n").expect("a head");
    let parts = format!("\n{texts}");
    let statements = parts.split("\n-- ").skip(1).map(|part| {
        let (name, text) = part.split_once('\n').expect("a name and a text");
        CatalogueStatement {
            name: name.to_owned(),
            text: text.trim().to_owned(),
        }
    });
    statements.collect()
}
