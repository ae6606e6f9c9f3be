//! Apps and their numbers. An app begins with the first call that names it.

use std::time::Instant;

use domain::{AppId, Millis};
use quick_cache::sync::Cache;
use storage::Error;

use crate::backend::Backend;
use crate::connection::{Connection, Transaction, wrap};
use crate::error::corrupt;
use crate::rows::Call;
use crate::statement::Statement;
use crate::warm::Warm;

/// Apps whose number is remembered.
const REMEMBERED_MAX: usize = 100_000;

static FIND: Statement = Statement::new(1, "SELECT a.app_no FROM app a WHERE a.app_id = $1");

static CREATE: Statement = Statement::new(
    2,
    "INSERT INTO app (app_id, create_ms) VALUES ($1, $2) ON CONFLICT (app_id) DO NOTHING",
);

/// The numbers of the apps, each with when it was asked for.
///
/// A number never changes in one life of a database. Another life begins with other
/// connections: a number is good for those that were open when it was asked for.
pub struct Apps(Cache<AppId, (i64, Instant)>);

impl Apps {
    pub fn new() -> Self {
        Self(Cache::new(REMEMBERED_MAX))
    }

    /// The number of an app, which begins now if it has not begun. Whoever writes under it
    /// asks whether the app still has it.
    pub async fn number<DB: Backend>(
        &self,
        pool: &Warm<DB>,
        app: &AppId,
        now: Millis,
    ) -> Result<i64, Error> {
        if let Some((number, _)) = self.0.get(app) {
            return Ok(number);
        }
        // In a box: it is seldom needed, and large.
        Box::pin(self.find_or_begin(pool, app, now)).await
    }

    async fn find_or_begin<DB: Backend>(
        &self,
        pool: &Warm<DB>,
        app: &AppId,
        now: Millis,
    ) -> Result<i64, Error> {
        let mut connection = Connection::of(pool).await?;
        let found = self.number_on(&mut connection, app).await?;
        drop(connection);
        match found {
            Some(number) => Ok(number),
            None => self.begin(pool, app, now).await,
        }
    }

    /// The number of an app in what that connection leads to. None: it has not begun there.
    pub async fn number_on<DB: Backend>(
        &self,
        connection: &mut Connection<DB>,
        app: &AppId,
    ) -> Result<Option<i64>, Error> {
        match self.0.get(app) {
            Some((number, asked)) if asked > connection.opened() => return Ok(Some(number)),
            _ => {}
        }
        let asked = Instant::now();
        let found = Box::pin(find(connection, app)).await?;
        match found {
            Some(number) => self.0.insert(app.clone(), (number, asked)),
            None => self.forget(app),
        }
        Ok(found)
    }

    /// Begins an app, if it has not begun.
    pub async fn begin<DB: Backend>(
        &self,
        pool: &Warm<DB>,
        app: &AppId,
        now: Millis,
    ) -> Result<i64, Error> {
        let asked = Instant::now();
        // In a task of its own: what has begun runs to its end.
        let work = tokio::spawn(create(pool.clone(), app.clone(), now));
        let number = work
            .await
            .map_err(|error| Error::Internal(error.into()))??;
        self.0.insert(app.clone(), (number, asked));
        Ok(number)
    }

    /// Asks for the number of an app again before it is used.
    pub fn forget(&self, app: &AppId) {
        self.0.remove(app);
    }

    /// Asks for all numbers again.
    pub fn forget_all(&self) {
        self.0.clear();
    }
}

async fn find<DB: Backend>(
    connection: &mut Connection<DB>,
    app: &AppId,
) -> Result<Option<i64>, Error> {
    let call = Call::of(&FIND).with(app.as_str());
    let row = connection.fetch_one(call).await?;
    row.map(|mut row| row.int()).transpose()
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
