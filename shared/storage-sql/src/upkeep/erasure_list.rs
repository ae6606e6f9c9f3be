//! The list of all erasures, and their repetition in a database that was restored from an older
//! backup.

use std::time::{Duration, Instant};

use domain::operation::{Action, EraseProfile};
use domain::{ErasureKey, Operation};
use storage::{
    ErasureList, ErasurePart, ErasurePlace, Error, ListedErasure, MailboxKey, RepeatedErasures,
};
use uuid::Uuid;

use crate::db::backend::Backend;
use crate::db::bind::BoundStatement;
use crate::db::connection::Connection;
use crate::db::pool::Pool;
use crate::db::statement::Statement;
use crate::read;
use crate::table::app::AppKey;
use crate::write::lanes::Lanes;

/// Number of erasures or mailboxes read by one statement.
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

/// The next `$3` mailboxes behind (`$1`, `$2`), as two seeks.
pub static OWNERS: Statement = Statement::new(
    "mailbox.profiles",
    3,
    "SELECT b.app_no, (SELECT a.app_id FROM app a WHERE a.app_no = b.app_no), b.mailbox_id,
         b.profile_id
     FROM (
         SELECT * FROM (
             SELECT app_no, mailbox_id, profile_id FROM mailbox
             WHERE app_no = $1 AND mailbox_id > $2 ORDER BY mailbox_id LIMIT $3
         ) AS of_app
         UNION ALL
         SELECT * FROM (
             SELECT app_no, mailbox_id, profile_id FROM mailbox
             WHERE app_no > $1 ORDER BY app_no, mailbox_id LIMIT $3
         ) AS of_others
     ) AS b ORDER BY b.app_no, b.mailbox_id LIMIT $3",
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

/// Begins the listed erasures of the owners of the next mailboxes behind `after`, unless the
/// database knows them, or later ones.
pub async fn repeat<DB: Backend>(
    pool: &Pool<DB>,
    lanes: &Lanes,
    listed: &ErasureList,
    after: Option<MailboxKey>,
) -> Result<RepeatedErasures, Error> {
    let (app_no, mailbox_id) = after.map_or((0, 0), |key| (key.app_no, key.mailbox_id));
    let owners = BoundStatement::of(&OWNERS)
        .bind(app_no)
        .bind(mailbox_id)
        .bind(ROWS);
    let mut connection = Connection::of(pool).await?;
    let mut repeated = RepeatedErasures::default();
    let mut missing = Vec::new();
    for mut row in connection.fetch(owners).await? {
        let app = AppKey {
            app_no: row.int()?,
            app_id: row.app_id()?,
        };
        repeated.mailboxes += 1;
        repeated.next = Some(MailboxKey {
            app_no: app.app_no,
            mailbox_id: row.int()?,
        });
        let owner = row.profile_id("mailbox")?;
        if let Some(requested) = listed.requested(&app.app_id, ErasureKey::of(&owner)) {
            missing.push((app, owner, requested));
        }
    }
    for (app, owner, requested) in missing {
        let known = read::erasure::read(&mut connection, app.app_no, &owner).await?;
        if known.is_some_and(|known| known.requested >= requested) {
            continue;
        }
        let erase = Operation::from(Action::from(EraseProfile { profile_id: owner }));
        let deadline = Instant::now() + BEGIN_WITHIN;
        lanes.execute(app, erase, deadline.into()).await??;
        repeated.begun += 1;
    }
    Ok(repeated)
}
