//! The servers of a home, one of which is always about to die.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proto::sys::v1::GetSendJobRequest;
use support::process::{Home, Server, Start, SystemClient};
use support::store::Place;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use super::Progress;

/// How often it is looked how far a job is.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long a look may take.
const LOOK_MAX: Duration = Duration::from_secs(5);

/// Where `Messaging` is, on those who live. Clones share it.
#[derive(Clone, Default)]
pub struct Living(Arc<Mutex<Vec<SocketAddr>>>);

impl Living {
    /// One of them; none if all are dead.
    pub fn any(&self, number: usize) -> Option<SocketAddr> {
        let addresses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = number.checked_rem(addresses.len())?;
        Some(addresses[place])
    }
}

/// One server on `SQLite`, two on `PostgreSQL`.
pub struct Replicas {
    start: Start,
    all: Vec<Replica>,
    living: Living,
}

struct Replica {
    server: Server,
    app: SystemClient,
}

impl Replica {
    fn new(server: Server) -> Self {
        let app = server.system();
        Self { server, app }
    }
}

impl Replicas {
    /// Starts them.
    pub fn serve(home: &Home) -> Self {
        let count = match home.place() {
            Place::Sqlite(_) => 1,
            Place::Postgres(_) => 2,
        };
        let all = (0..count).map(|_| Replica::new(home.serve())).collect();
        let replicas = Self {
            start: home.start(),
            all,
            living: Living::default(),
        };
        replicas.tell();
        replicas
    }

    /// Calls as the app, on one that lives.
    pub fn app(&self) -> SystemClient {
        self.all[0].app.clone()
    }

    /// Who lives, now and later.
    pub fn living(&self) -> Living {
        self.living.clone()
    }

    /// Kills the one that has lived longest, and starts another. If there are two, the other goes
    /// on meanwhile, and is looked at.
    pub async fn strike(&mut self, watch: &mut Watch) {
        let victim = self.all.remove(0);
        self.tell();
        victim.server.kill();
        let start = self.start.clone();
        let mut starting = spawn_blocking(move || Server::start(&start));
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
    pub async fn look(&mut self, watch: &mut Watch) {
        sleep(LOOK_EVERY).await;
        self.ask(watch).await;
    }

    /// Looks until the work is done.
    pub async fn wait(&mut self, watch: &mut Watch) {
        while !watch.is_done() {
            self.look(watch).await;
        }
    }

    /// Asks all of them.
    async fn ask(&mut self, watch: &mut Watch) {
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
pub struct Watch {
    job_id: String,
    progress: Progress,
    /// What was done, and all that there is to do, when it was last looked.
    pub last: (i64, i64),
}

impl Watch {
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
