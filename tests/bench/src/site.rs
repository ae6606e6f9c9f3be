//! A target, ready to be measured.

pub mod alone;
pub mod bare;
pub mod keys;
pub mod postgres;
pub mod server;
pub mod stock;
pub mod world;

use std::path::Path;

use anyhow::Context as _;
use indicatif::ProgressBar;
use sqlx::{Connection as _, PgConnection};
use support::folder::Folder;

use crate::cli::Plan;
use crate::load::caller::Caller;
use crate::load::pgbench::Baseline;
use crate::load::script::Stored;
use crate::measure::meter::{self, Meter};
use crate::scenario::Target;
use crate::site::bare::Bare;
use crate::site::keys::Keys;
use crate::site::postgres::Postgres;
use crate::site::server::Server;
use crate::site::stock::Stock;
use crate::site::world::World;

/// A target with its data, and what calls and watches it. It ends with this value.
pub struct Site {
    pub target: Target,
    pub caller: Caller,
    pub meter: Meter,
    /// What it is compared with, on the same data.
    pub baseline: Option<Baseline>,
    server: Option<Server>,
    _bare: Option<Bare>,
    _folder: Option<Folder>,
}

impl Site {
    /// Postroom on a new file.
    ///
    /// # Errors
    /// If it cannot be started or filled.
    pub async fn sqlite(
        program: &Path,
        plan: &Plan,
        world: World,
        keys: Keys,
        progress: &ProgressBar,
    ) -> anyhow::Result<Self> {
        let folder = Folder::new();
        let url = format!("sqlite:{}", folder.join("postroom.db").display());
        let server = Server::start(program, &url).await?;
        let caller = connect(&server, plan, keys, world).await?;
        fill(&caller, &url, &world, progress).await?;
        Ok(Self {
            target: Target::Sqlite,
            caller,
            meter: Meter {
                servers: vec![server.process()],
                database: None,
            },
            baseline: None,
            server: Some(server),
            _bare: None,
            _folder: Some(folder),
        })
    }

    /// Postroom on a new database of a cluster, with which it goes.
    ///
    /// # Errors
    /// If it cannot be started or filled.
    pub async fn postgres(
        program: &Path,
        plan: &Plan,
        (target, world, keys): (Target, World, Keys),
        postgres: &Postgres,
        progress: &ProgressBar,
    ) -> anyhow::Result<Self> {
        let database = postgres.server().database().await;
        let server = Server::start(program, &database.url).await?;
        let caller = connect(&server, plan, keys, world).await?;
        fill(&caller, &database.url, &world, progress).await?;
        let mut connection = PgConnection::connect(&database.url).await?;
        let baseline = Baseline {
            program: postgres.pgbench.clone(),
            url: database.url.clone(),
            profiles: world.profiles(),
            stored: Stored::read(&mut connection).await?,
        };
        let database_meter = meter::Database {
            postmaster: postgres.postmaster,
            connection,
        };
        Ok(Self {
            target,
            caller,
            meter: Meter {
                servers: vec![server.process()],
                database: Some(database_meter),
            },
            baseline: Some(baseline),
            server: Some(server),
            _bare: None,
            _folder: None,
        })
    }

    /// tonic alone, or within the layers.
    ///
    /// # Errors
    /// If it cannot be started.
    pub async fn memory(
        target: Target,
        plan: &Plan,
        world: World,
        keys: Keys,
    ) -> anyhow::Result<Self> {
        let bare = Bare::start(target == Target::Layers)?;
        let caller = Caller::connect(bare.address, None, plan.connections, keys, world).await?;
        Ok(Self {
            target,
            caller,
            meter: Meter {
                servers: vec![bare.process()],
                database: None,
            },
            baseline: None,
            server: None,
            _bare: Some(bare),
            _folder: None,
        })
    }

    /// The service itself.
    ///
    /// # Errors
    /// If something else answers here.
    pub fn server(&self) -> anyhow::Result<&Server> {
        self.server.as_ref().context("no service for this target")
    }

    /// What a recount of all mailboxes says, if there are any.
    ///
    /// # Errors
    /// If something drifts.
    pub async fn verify(&self) -> anyhow::Result<Option<String>> {
        match &self.server {
            Some(server) => server.verify().await.map(Some),
            None => Ok(None),
        }
    }
}

async fn connect(server: &Server, plan: &Plan, keys: Keys, world: World) -> anyhow::Result<Caller> {
    Caller::connect(server.user, Some(server.sys), plan.connections, keys, world).await
}

async fn fill(
    caller: &Caller,
    url: &str,
    world: &World,
    progress: &ProgressBar,
) -> anyhow::Result<()> {
    caller.send_first().await.context("the first message")?;
    Stock::open(url)
        .await?
        .fill(world, progress)
        .await
        .context("the data")
}
