//! Requirements of a `PostgreSQL` database that the schema cannot ask for.

use sqlx::pool::PoolConnection;
use sqlx::{Database, Postgres};

use crate::db::backend::{Codec, RunStatements};
use crate::db::open_error::Unsuitable;

/// The only encoding that takes every text and keeps its characters.
const ENCODING: &str = "UTF8";

const SERVER_ENCODING: &str = "SELECT current_setting('server_encoding')";

/// The catalogue of Citus, if that is installed.
const CITUS_CATALOGUE: &str = "SELECT CAST(to_regclass('pg_dist_partition') AS text)";

/// A table of the schema whose rows Citus distributes; `n` are tables that it holds whole.
const DISTRIBUTED_TABLE: &str = "SELECT c.relname::text FROM pg_dist_partition p
    JOIN pg_class c ON c.oid = p.logicalrelid
    WHERE p.partmethod <> 'n' AND pg_table_is_visible(c.oid) AND c.relnamespace = (
        SELECT s.relnamespace FROM pg_class s WHERE s.oid = to_regclass('server')
    )
    ORDER BY c.relname LIMIT 1";

/// Returns why a database does not suit; none if it does.
pub async fn unsuitable(
    connection: &mut PoolConnection<Postgres>,
) -> Result<Option<Unsuitable>, sqlx::Error> {
    let encoding = text(connection, SERVER_ENCODING).await?;
    if let Some(found) = encoding.filter(|encoding| encoding != ENCODING) {
        return Ok(Some(Unsuitable::Encoding { found }));
    }
    if text(connection, CITUS_CATALOGUE).await?.is_none() {
        return Ok(None);
    }
    let table = text(connection, DISTRIBUTED_TABLE).await?;
    Ok(table.map(|table| Unsuitable::Distributed { table }))
}

/// Returns the one text that a query selects.
async fn text(
    connection: &mut PoolConnection<Postgres>,
    query: &'static str,
) -> Result<Option<String>, sqlx::Error> {
    let arguments = <Postgres as Database>::Arguments::default();
    match Postgres::fetch_one(connection, query, arguments).await? {
        Some(row) => Postgres::get(&row, 0),
        None => Ok(None),
    }
}
