//! The list of all erasures, and their repetition in a database that was restored from an older
//! backup.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::audit::AuditedCall;
use domain::operation::{Action, EraseProfile};
use domain::{ErasureKey, Operation};
use storage::{
    Budget, ErasureList, ErasurePart, ErasurePlace, Error, ListedErasure, NamingPlace,
    RepeatedErasures,
};
use uuid::Uuid;

use super::naming_rows;
use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::pool::Pool;
use crate::db::statement::Statement;
use crate::read;
use crate::table::app::AppKey;
use crate::write::lanes::Lanes;

/// Number of erasures read by one statement.
const ROWS: i64 = 500;
/// Timeout of beginning one erasure.
const BEGIN_WITHIN: Duration = Duration::from_secs(5);

/// The next `$3` erasures behind (`$1`, `$2`): the rest of an app and the next apps, as two seeks.
pub static LIST: Statement = Statement::new(
    "erasure.list",
    3,
    "SELECT e.app_no, (SELECT a.app_id FROM app a WHERE a.app_no = e.app_no), e.profile_key,
         e.request_ms
     FROM (
         SELECT * FROM (
             SELECT * FROM erasure WHERE app_no = $1 AND profile_key > $2
             ORDER BY profile_key LIMIT $3
         ) AS of_app
         UNION ALL
         SELECT * FROM (
             SELECT * FROM erasure WHERE app_no > $1 ORDER BY app_no, profile_key LIMIT $3
         ) AS of_others
     ) AS e ORDER BY e.app_no, e.profile_key LIMIT $3",
);

/// Returns the next erasures behind `after`.
pub async fn list<DB: Backend>(
    pool: &Pool<DB>,
    after: Option<ErasurePlace>,
) -> Result<ErasurePart, Error> {
    let (app_no, key) = after.map_or((0, Uuid::nil()), |after| (after.app_no, after.key));
    let list = BoundStatement::of(&LIST).bind(app_no).bind(key).bind(ROWS);
    let mut part = ErasurePart::default();
    for mut row in Connection::of(pool).await?.fetch(list).await? {
        let app_no = row.int()?;
        let app = row.app_id()?;
        let key = row.uuid()?;
        part.next = Some(ErasurePlace { app_no, key });
        part.erasures.push(ListedErasure {
            app,
            key: ErasureKey::from_uuid(key),
            requested: row.millis()?,
        });
    }
    Ok(part)
}

/// Begins the listed erasures of the profiles that the next rows of an app name, from a place on,
/// unless the database knows them, or later ones.
pub async fn repeat<DB: Backend>(
    pool: &Pool<DB>,
    lanes: &Lanes,
    app: AppKey,
    listed: &ErasureList,
    call: &Arc<AuditedCall>,
    place: NamingPlace,
) -> Result<RepeatedErasures, Error> {
    let mut connection = Connection::of(pool).await?;
    let named = naming_rows::read(&mut connection, app.app_no, place).await?;
    let mut repeated = RepeatedErasures {
        rows: named.rows,
        begun: 0,
        next: named.next,
    };
    for profile_id in named.profiles {
        let Some(requested) = listed.requested(&app.app_id, ErasureKey::of(&profile_id)) else {
            continue;
        };
        let known = read::erasure::read(&mut connection, app.app_no, &profile_id).await?;
        if known.is_some_and(|known| known.requested >= requested) {
            continue;
        }
        let erase = Operation::from(Action::from(EraseProfile { profile_id }));
        let budget = Budget {
            audit: Some(Arc::clone(call)),
            ..(Instant::now() + BEGIN_WITHIN).into()
        };
        lanes.execute(app.clone(), erase, budget).await??;
        repeated.begun += 1;
    }
    Ok(repeated)
}
