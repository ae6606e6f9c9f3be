//! Apps and their numbers. An app begins with the first call that names it.

use domain::{AppId, Millis};
use moka::sync::Cache;
use storage::Error;

use crate::backend::Backend;
use crate::connection::{Connection, Transaction, wrap};
use crate::error::corrupt;
use crate::rows::Call;
use crate::statement::Statement;
use crate::warm::Warm;

/// Apps whose number is remembered. A number never changes.
const REMEMBERED_MAX: u64 = 100_000;

static FIND: Statement = Statement::new(1, "SELECT a.app_no FROM app a WHERE a.app_id = $1");

static CREATE: Statement = Statement::new(
    2,
    "INSERT INTO app (app_id, create_ms) VALUES ($1, $2) ON CONFLICT (app_id) DO NOTHING",
);

/// The numbers of the apps.
pub struct Apps(Cache<AppId, i64>);

impl Apps {
    pub fn new() -> Self {
        Self(Cache::new(REMEMBERED_MAX))
    }

    /// The number of an app, which begins now if it has not begun.
    pub async fn number<DB: Backend>(
        &self,
        pool: &Warm<DB>,
        app: &AppId,
        now: Millis,
    ) -> Result<i64, Error> {
        if let Some(number) = self.0.get(app) {
            return Ok(number);
        }
        let number = Box::pin(find_or_create(pool, app, now)).await?;
        self.0.insert(app.clone(), number);
        Ok(number)
    }
}

async fn find_or_create<DB: Backend>(
    pool: &Warm<DB>,
    app: &AppId,
    now: Millis,
) -> Result<i64, Error> {
    let found = find(&mut Connection::of(pool).await?, app).await?;
    if let Some(number) = found {
        return Ok(number);
    }
    // In a task of its own: what has begun runs to its end.
    let work = tokio::spawn(create(pool.clone(), app.clone(), now));
    work.await.map_err(|error| Error::Internal(error.into()))?
}

async fn find<DB: Backend>(
    connection: &mut Connection<DB>,
    app: &AppId,
) -> Result<Option<i64>, Error> {
    let rows = connection.fetch(Call::of(&FIND).with(app.as_str())).await?;
    rows.into_iter().next().map(|mut row| row.int()).transpose()
}

async fn create<DB: Backend>(pool: Warm<DB>, app: AppId, now: Millis) -> Result<i64, Error> {
    let mut transaction = Transaction::begin(&pool).await?;
    let connection = transaction.connection();
    connection
        .execute(Call::of(&CREATE).with(app.as_str()).with(now.0))
        .await?;
    let number = find(connection, &app).await?;
    transaction.commit().await.map_err(wrap::<DB>)?;
    number.ok_or_else(|| corrupt("app", "app_no", &app))
}
