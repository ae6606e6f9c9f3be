//! [`Maintenance`] of the store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::audit::AuditedCall;
use domain::{AppId, Millis, Now};
use storage::{
    ErasureList, ErasurePart, ErasurePlace, Error, KeptRecount, MailboxKey, MailboxStatus,
    Maintenance, NamingPlace, RecountReport, RepeatedErasures,
};

use super::SqlStore;
use crate::clock;
use crate::db::backend::Backend;
use crate::db::connection::Connection;
use crate::db::epoch;
use crate::read;
use crate::table::app::AppKey;
use crate::upkeep::{erasure_list, kept_recount, recount, sweep, trim};

#[async_trait]
impl<DB: Backend> Maintenance for SqlStore<DB> {
    async fn expire_due(&self) -> Result<bool, Error> {
        let now = self.clock.now()?;
        self.executor.message_cache.drop_old(now.ms);
        if !self.sweep_lease.hold(&self.pools.write, now).await? {
            self.orphans.forget();
            return Ok(false);
        }
        let mut connection = Connection::of(&self.pools.read).await?;
        let due = sweep::due(&mut connection, now.due_ms).await?;
        drop(connection);
        if due.is_empty() {
            let (read, write) = (&self.pools.read, &self.pools.write);
            let (lanes, lease) = (&self.lanes, &self.sweep_lease);
            let more = sweep::delete(read, write, lanes, now.due_ms).await?;
            let search = self.orphans.step(read, write, lanes, lease, now.due_ms);
            return Ok(search.await? || more);
        }
        self.settle_all(due).await?;
        Ok(true)
    }

    async fn trim_tombstones(
        &self,
        after: Option<MailboxKey>,
    ) -> Result<Option<MailboxKey>, Error> {
        let mut connection = Connection::of(&self.pools.read).await?;
        let trims = trim::next_trims(&mut connection, self.clock.now()?.due_ms, after).await?;
        drop(connection);
        trim::execute_all(&self.lanes, trims.operations).await?;
        Ok(trims.next)
    }

    async fn statuses(&self, mailboxes: &[MailboxKey]) -> Result<Vec<MailboxStatus>, Error> {
        self.live_in(epoch::current(&self.pools).await?);
        if mailboxes.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = Connection::of(&self.pools.read).await?;
        read::statuses::read(&mut connection, mailboxes, self.clock.now()?.due_ms).await
    }

    async fn settle(&self, mailboxes: &[MailboxKey]) -> Result<(), Error> {
        let mut connection = Connection::of(&self.pools.read).await?;
        let owners = read::statuses::owners(&mut connection, mailboxes).await?;
        drop(connection);
        let settles = owners
            .into_iter()
            .map(|(app_no, owner)| (app_no, owner.into()));
        self.settle_all(settles).await
    }

    async fn run_jobs(&self) -> Result<bool, Error> {
        let has_sent = self.send_jobs.run(&*self.clock).await;
        let has_chained = self.audit_chains.run(&*self.clock).await;
        let has_erased = self.erasures.run(&*self.clock).await;
        let has_erased_app = self.app_erasures.run(&*self.clock).await;
        let has_counted = self.usage_counts.run(&*self.clock).await;
        Ok(has_sent? | has_chained? | has_erased? | has_erased_app? | has_counted?)
    }

    async fn wait_for_jobs(&self, interval: Duration) {
        self.send_jobs.wait(interval).await;
    }

    async fn recount(
        &self,
        after: Option<MailboxKey>,
        repair: bool,
    ) -> Result<RecountReport, Error> {
        recount::run(&self.pools, self.clock.now()?.due_ms, after, repair).await
    }

    async fn recount_kept(&self, after: Option<i64>, repair: bool) -> Result<KeptRecount, Error> {
        kept_recount::run(&self.pools, after, repair).await
    }

    async fn list_erasures(&self, after: Option<ErasurePlace>) -> Result<ErasurePart, Error> {
        erasure_list::list(&self.pools.read, after).await
    }

    async fn repeat_erasures(
        &self,
        app: &AppId,
        listed: &ErasureList,
        call: &Arc<AuditedCall>,
        place: Option<NamingPlace>,
    ) -> Result<RepeatedErasures, Error> {
        let mut connection = Connection::of(&self.pools.read).await?;
        let app_no = self.apps.number_on(&mut connection, app).await?;
        drop(connection);
        let Some(app_no) = app_no else {
            return Ok(RepeatedErasures::default());
        };
        let app = AppKey {
            app_no,
            app_id: app.clone(),
        };
        let (read, place) = (&self.pools.read, place.unwrap_or_default());
        erasure_list::repeat(read, &self.lanes, app, listed, call, place).await
    }

    async fn accept_clock(&self) -> Result<Millis, Error> {
        let time = self.clock.now()?.ms;
        clock::store(&self.pools.write, Now::at(time)).await?;
        Ok(time)
    }

    async fn new_epoch(&self) -> Result<(), Error> {
        self.live_in(epoch::begin(&self.pools).await?);
        Ok(())
    }
}
