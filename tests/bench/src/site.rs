//! A target, ready to be measured.

pub mod bare;
pub mod dataset;
pub mod keys;
pub mod postgres;
pub mod server;
pub mod standalone;
pub mod stock;

use std::path::Path;

use anyhow::Context as _;
use indicatif::ProgressBar;
use sqlx::{Connection as _, PgConnection};
use support::temp_folder::TempFolder;

use crate::cli::RunPlan;
use crate::load::caller::LoadCaller;
use crate::load::pgbench::Baseline;
use crate::load::script::StoredMessage;
use crate::measure::meter::{self, Meter};
use crate::scenario::Target;
use crate::site::bare::Bare;
use crate::site::dataset::Dataset;
use crate::site::keys::SignedTokens;
use crate::site::postgres::Postgres;
use crate::site::server::BenchServer;
use crate::site::stock::Stock;

/// A target with its data, and what calls and watches it. It ends with this value.
pub struct MeasuredService {
    pub target: Target,
    pub caller: LoadCaller,
    pub meter: Meter,
    /// Baseline on the same data.
    pub baseline: Option<Baseline>,
    server: Option<BenchServer>,
    _bare: Option<Bare>,
    _folder: Option<TempFolder>,
}

impl MeasuredService {
    /// Postroom on a new file.
    ///
    /// # Errors
    /// If it cannot be started or filled.
    pub async fn sqlite(
        program: &Path,
        plan: &RunPlan,
        dataset: Dataset,
        keys: SignedTokens,
        progress: &ProgressBar,
    ) -> anyhow::Result<Self> {
        let folder = TempFolder::new();
        let url = format!("sqlite:{}", folder.join("postroom.db").display());
        let server = BenchServer::start(program, &url).await?;
        let caller = connect(&server, plan, keys, dataset).await?;
        fill(&caller, &url, &dataset, progress).await?;
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
        plan: &RunPlan,
        (target, dataset, keys): (Target, Dataset, SignedTokens),
        postgres: &Postgres,
        progress: &ProgressBar,
    ) -> anyhow::Result<Self> {
        let database = postgres.server().database().await;
        let server = BenchServer::start(program, &database.url).await?;
        let caller = connect(&server, plan, keys, dataset).await?;
        fill(&caller, &database.url, &dataset, progress).await?;
        let mut connection = PgConnection::connect(&database.url).await?;
        let baseline = Baseline {
            program: postgres.pgbench.clone(),
            url: database.url.clone(),
            profiles: dataset.profiles(),
            stored: StoredMessage::read(&mut connection).await?,
        };
        let database_meter = meter::MeteredDatabase {
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
        plan: &RunPlan,
        dataset: Dataset,
        keys: SignedTokens,
    ) -> anyhow::Result<Self> {
        let bare = Bare::start(target == Target::Layers)?;
        let caller =
            LoadCaller::connect(bare.address, None, plan.connections, keys, dataset).await?;
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
    pub fn server(&self) -> anyhow::Result<&BenchServer> {
        self.server.as_ref().context("no service for this target")
    }

    /// Runs `postroom verify`, if there are mailboxes.
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

async fn connect(
    server: &BenchServer,
    plan: &RunPlan,
    keys: SignedTokens,
    dataset: Dataset,
) -> anyhow::Result<LoadCaller> {
    LoadCaller::connect(
        server.user,
        Some(server.sys),
        plan.connections,
        keys,
        dataset,
    )
    .await
}

async fn fill(
    caller: &LoadCaller,
    url: &str,
    dataset: &Dataset,
    progress: &ProgressBar,
) -> anyhow::Result<()> {
    caller.send_first().await.context("the first message")?;
    Stock::open(url)
        .await?
        .fill(dataset, progress)
        .await
        .context("the data")
}
