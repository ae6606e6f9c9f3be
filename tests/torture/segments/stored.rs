//! Rows of one segment message in the database.

use sqlx::{Connection as _, PgConnection, SqliteConnection};
use support::process::Deployment;
use support::store::TestDatabase;

/// Rows of all boxes; owners of them; those of them that have the second version; rows of
/// deletions; owners of those; what mailboxes count in all, and as unread.
const READ: &str = "
    SELECT e.entries, e.owners, e.updated, d.deletions, d.losers, m.total, m.unread
    FROM (
        SELECT count(*) AS entries, count(DISTINCT mailbox_id) AS owners,
            count(CASE WHEN content_version = 2 THEN 1 END) AS updated
        FROM msgbox
    ) e
    CROSS JOIN (
        SELECT count(*) AS deletions, count(DISTINCT mailbox_id) AS losers FROM msgbox_deleted
    ) d
    CROSS JOIN (
        SELECT CAST(coalesce(sum(inbox_total), 0) AS bigint) AS total,
            CAST(coalesce(sum(inbox_unread), 0) AS bigint) AS unread
        FROM mailbox
    ) m";

/// Counts over all mailboxes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct StoredCounts {
    entries: i64,
    owners: i64,
    updated: i64,
    deletions: i64,
    losers: i64,
    total: i64,
    unread: i64,
}

/// Row of [`READ`].
type CountsRow = (i64, i64, i64, i64, i64, i64, i64);

impl StoredCounts {
    /// Reads the counts of a deployment.
    pub async fn read(deployment: &Deployment) -> Self {
        let url = deployment.database().url();
        let read: sqlx::Result<CountsRow> = match deployment.database() {
            TestDatabase::Sqlite(_) => {
                let mut connection = SqliteConnection::connect(&url).await.expect("the file");
                sqlx::query_as(READ).fetch_one(&mut connection).await
            }
            TestDatabase::Postgres(_) => {
                let mut connection = PgConnection::connect(&url).await.expect("the database");
                sqlx::query_as(READ).fetch_one(&mut connection).await
            }
        };
        let (entries, owners, updated, deletions, losers, total, unread) = read.expect("counts");
        Self {
            entries,
            owners,
            updated,
            deletions,
            losers,
            total,
            unread,
        }
    }

    /// Counts with one unread entry for each of `count` recipients.
    pub fn with_entries(count: usize) -> Self {
        let count = i64::try_from(count).expect("a number");
        Self {
            entries: count,
            owners: count,
            total: count,
            unread: count,
            ..Self::default()
        }
    }

    /// All of them have it as it was updated.
    pub fn after_an_update(self) -> Self {
        Self {
            updated: self.entries,
            ..self
        }
    }

    /// Counts with one deletion for each of `count` recipients.
    pub fn after_a_deletion(count: usize) -> Self {
        let count = i64::try_from(count).expect("a number");
        Self {
            deletions: count,
            losers: count,
            ..Self::default()
        }
    }
}
