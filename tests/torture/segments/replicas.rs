//! The servers of a deployment, one of which is always about to die.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proto::sys::v1::GetSendJobRequest;
use support::process::{Deployment, ServerProcess, StartOptions, SystemClient};
use support::store::TestDatabase;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::Progress;

/// Interval at which the progress of a job is read.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Longest read of the progress.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// Addresses of `Messaging` on the live replicas. Clones share them.
#[derive(Clone, Default)]
pub struct LiveAddresses(Arc<Mutex<Vec<SocketAddr>>>);

impl LiveAddresses {
    /// Address of a live replica, if there is one.
    pub fn any(&self, number: usize) -> Option<SocketAddr> {
        let addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = number.checked_rem(addresses.len())?;
        Some(addresses[place])
    }
}

/// Replicas of the service: one on `SQLite`, two on `PostgreSQL`.
pub struct Replicas {
    start: StartOptions,
    all: Vec<Replica>,
    living: LiveAddresses,
}

struct Replica {
    server: ServerProcess,
    app: SystemClient,
}

impl Replica {
    fn new(server: ServerProcess) -> Self {
        let app = server.system();
        Self { server, app }
    }
}

impl Replicas {
    /// Starts them.
    pub fn serve(deployment: &Deployment) -> Self {
        let count = match deployment.database() {
            TestDatabase::Sqlite(_) => 1,
            TestDatabase::Postgres(_) => 2,
        };
        let all = (0..count)
            .map(|_| Replica::new(deployment.serve()))
            .collect();
        let replicas = Self {
            start: deployment.start(),
            all,
            living: LiveAddresses::default(),
        };
        replicas.tell();
        replicas
    }

    /// A client of `Sys` on a live replica.
    pub fn app(&self) -> SystemClient {
        self.all[0].app.clone()
    }

    /// Addresses of the live replicas, kept up to date.
    pub fn living(&self) -> LiveAddresses {
        self.living.clone()
    }

    /// Kills the one that has lived longest, and starts another. If there are two, the other goes
    /// on meanwhile, and is looked at.
    pub async fn strike(&mut self, watch: &mut JobWatch) {
        let victim = self.all.remove(0);
        self.tell();
        victim.server.kill();
        let start = self.start.clone();
        let mut starting = spawn_blocking(move || ServerProcess::start(&start));
        let fresh = loop {
            tokio::select! {
                fresh = &mut starting => break fresh.expect("it starts"),
                () = sleep(LOOK_EVERY) => self.ask(watch).await,
            }
        };
        self.all.push(Replica::new(fresh));
        self.tell();
    }

    /// Looks how far the job is, after a while.
    pub async fn look(&mut self, watch: &mut JobWatch) {
        sleep(LOOK_EVERY).await;
        self.ask(watch).await;
    }

    /// Looks until the work is done.
    pub async fn wait(&mut self, watch: &mut JobWatch) {
        while !watch.is_done() {
            self.look(watch).await;
        }
    }

    /// Asks all of them.
    async fn ask(&mut self, watch: &mut JobWatch) {
        for replica in &mut self.all {
            watch.look(&mut replica.app).await;
        }
    }

    fn tell(&self) {
        let addresses = self.all.iter().map(|replica| replica.server.user);
        *self.living.0.lock().unwrap_or_else(PoisonError::into_inner) = addresses.collect();
    }
}

/// Looks at a job again and again.
#[derive(Debug)]
pub struct JobWatch {
    job_id: String,
    progress: Progress,
    /// Progress at the last look: work done, and all of it.
    pub last: (i64, i64),
}

impl JobWatch {
    pub fn new(job_id: &str, progress: Progress) -> Self {
        Self {
            job_id: job_id.to_owned(),
            progress,
            last: (0, 0),
        }
    }

    pub const fn is_done(&self) -> bool {
        let (done, all) = self.last;
        all > 0 && done == all
    }

    async fn look(&mut self, app: &mut SystemClient) {
        let job_id = self.job_id.clone();
        let job = timeout(LOOK_MAX, app.get_send_job(GetSendJobRequest { job_id })).await;
        let job = job.expect("an answer in time").expect("a job").into_inner();
        let progress = self.progress;
        let Some((done, all)) = progress(&job) else {
            return;
        };
        let (done_before, all_before) = self.last;
        assert!(done >= done_before, "it goes back: {self:?}, {job:?}");
        assert!(done <= all, "more than all: {job:?}");
        assert!(all_before == 0 || all == all_before, "{self:?}, {job:?}");
        self.last = (done, all);
    }
}
