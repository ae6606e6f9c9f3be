//! A cache of app numbers. An app is created by the first call that names it.

use std::time::Instant;

use domain::{AppId, Millis, Quotas};
use quick_cache::sync::Cache;
use storage::Error;
use telemetry::CacheMetrics;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::{Connection, Transaction, wrap};
use crate::db::error::corrupt;
use crate::db::pool::Pool;
use crate::table::app;

/// Maximum number of cached apps.
const APPS_MAX: usize = 100_000;

/// The numbers of apps, each with the time of its lookup.
///
/// A number never changes in one epoch. A new epoch comes with new connections: a number is
/// valid on the connections that were open when it was looked up.
pub struct AppNumbers {
    /// Usage state of new apps.
    usage_state: i64,
    numbers: Cache<AppId, (i64, Instant)>,
    metrics: CacheMetrics,
}

impl AppNumbers {
    /// An empty cache. The usage of new apps is counted if the default `quotas` ask for it.
    pub fn new(quotas: &Quotas) -> Self {
        Self {
            usage_state: if quotas.has_app_limits() { 2 } else { 0 },
            numbers: Cache::new(APPS_MAX),
            metrics: CacheMetrics::new("app"),
        }
    }

    /// Returns the number of an app, and creates the app if need be. It may be outdated; each
    /// batch checks the numbers of its apps.
    pub async fn number<DB: Backend>(
        &self,
        pool: &Pool<DB>,
        app_id: &AppId,
        now: Millis,
    ) -> Result<i64, Error> {
        if let Some((number, _)) = self.metrics.record(self.numbers.get(app_id)) {
            return Ok(number);
        }
        // Boxed: seldom needed, and large.
        Box::pin(self.find_or_create(pool, app_id, now)).await
    }

    async fn find_or_create<DB: Backend>(
        &self,
        pool: &Pool<DB>,
        app_id: &AppId,
        now: Millis,
    ) -> Result<i64, Error> {
        let mut connection = Connection::of(pool).await?;
        let found = self.number_on(&mut connection, app_id).await?;
        drop(connection);
        match found {
            Some(number) => Ok(number),
            None => self.create(pool, app_id, now).await,
        }
    }

    /// Returns the number of an app in the database of a connection; none if there is no such
    /// app.
    pub async fn number_on<DB: Backend>(
        &self,
        connection: &mut Connection<DB>,
        app_id: &AppId,
    ) -> Result<Option<i64>, Error> {
        let cached = self.numbers.get(app_id);
        let cached = cached.filter(|(_, looked_up)| *looked_up > connection.opened());
        if let Some((number, _)) = self.metrics.record(cached) {
            return Ok(Some(number));
        }
        let looked_up = Instant::now();
        let found = Box::pin(find(connection, app_id)).await?;
        match found {
            Some(number) => self.numbers.insert(app_id.clone(), (number, looked_up)),
            None => self.forget(app_id),
        }
        Ok(found)
    }

    /// Creates an app unless it exists, and returns its number.
    pub async fn create<DB: Backend>(
        &self,
        pool: &Pool<DB>,
        app_id: &AppId,
        now: Millis,
    ) -> Result<i64, Error> {
        let looked_up = Instant::now();
        // In a task of its own: it runs to its end even if the caller goes away.
        let created = tokio::spawn(find_or_insert(
            pool.clone(),
            app_id.clone(),
            now,
            self.usage_state,
        ));
        let number = created
            .await
            .map_err(|error| Error::Internal(error.into()))??;
        self.numbers.insert(app_id.clone(), (number, looked_up));
        Ok(number)
    }

    /// Drops the number of an app.
    pub fn forget(&self, app_id: &AppId) {
        self.numbers.remove(app_id);
    }

    /// Drops all numbers.
    pub fn clear(&self) {
        self.numbers.clear();
    }
}

async fn find<DB: Backend>(
    connection: &mut Connection<DB>,
    app_id: &AppId,
) -> Result<Option<i64>, Error> {
    let find = BoundStatement::of(&app::FIND).bind(app_id.as_str());
    let row = connection.fetch_one(find).await?;
    row.map(|mut row| row.int()).transpose()
}

async fn find_or_insert<DB: Backend>(
    pool: Pool<DB>,
    app_id: AppId,
    now: Millis,
    usage_state: i64,
) -> Result<i64, Error> {
    let mut transaction = Transaction::begin(&pool).await?;
    let connection = transaction.connection();
    let create = BoundStatement::of(&app::CREATE)
        .bind(app_id.as_str())
        .bind(now.0)
        .bind(usage_state);
    connection.execute(create).await?;
    let number = find(connection, &app_id).await?;
    transaction.commit().await.map_err(wrap::<DB>)?;
    number.ok_or_else(|| corrupt("app", "app_no", &app_id))
}
