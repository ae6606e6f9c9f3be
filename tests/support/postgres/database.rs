//! Databases on a server: one for each test, copied from a template that has the schema.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::{SocketAddr, ToSocketAddrs as _};

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use storage_sql::Options;
use uuid::Uuid;

use crate::workspace;

/// Advisory lock under which one process creates the template.
const TEMPLATE_LOCK: &str = "SELECT pg_advisory_lock(7600)";

/// A server, reached as a user that may create databases.
#[derive(Debug, Clone)]
pub struct PostgresServer {
    /// The url up to the name of the database, `postgres://user@host:port/`.
    before: String,
    /// The database that is there to connect to.
    maintenance: String,
    /// Part of the url after the name of the database: parameters or nothing.
    after: String,
}

impl PostgresServer {
    /// Takes a url to a database on it.
    ///
    /// # Errors
    /// If it is no url of `PostgreSQL` that names a database.
    pub fn parse(url: &str) -> anyhow::Result<Self> {
        let parts = || {
            let query = url.find('?').unwrap_or(url.len());
            let authority = url.find("://")? + "://".len();
            let slash = authority + url[authority..query].find('/')?;
            Some((&url[..=slash], &url[slash + 1..query], &url[query..]))
        };
        let (before, maintenance, after) = parts()
            .filter(|(before, database, _)| before.starts_with("postgres") && !database.is_empty())
            .context("not of the form postgres://user:password@host:port/database")?;
        let [before, maintenance, after] = [before, maintenance, after].map(str::to_owned);
        Ok(Self {
            before,
            maintenance,
            after,
        })
    }

    /// The url of the database that is there to connect to.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(&self.maintenance)
    }

    /// A new database with the schema.
    ///
    /// # Panics
    /// If the server does not do as it is told.
    pub async fn database(&self) -> PostgresDatabase {
        let name = format!("postroom_test_{}", Uuid::new_v4().simple());
        self.copy_template(&name)
            .await
            .expect("a database for the test");
        PostgresDatabase {
            url: self.url_of(&name),
            server: self.clone(),
            name,
        }
    }

    /// A new database without the schema, created with those options.
    ///
    /// # Panics
    /// If the server does not do as it is told.
    pub async fn empty_database(&self, options: &str) -> PostgresDatabase {
        let name = format!("postroom_test_{}", Uuid::new_v4().simple());
        let created = async {
            let mut connection = self.connect().await?;
            let create = format!("CREATE DATABASE {name} {options} TEMPLATE template0");
            run(&mut connection, create).await?;
            connection.close().await
        };
        created.await.expect("a database for the test");
        PostgresDatabase {
            url: self.url_of(&name),
            server: self.clone(),
            name,
        }
    }

    /// A connection to the server, for what concerns it as a whole.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub async fn connect(&self) -> sqlx::Result<PgConnection> {
        PgConnection::connect(&self.url()).await
    }

    fn host_and_port(&self) -> &str {
        let authority = self.before.trim_end_matches('/');
        authority.rsplit(['@', '/']).next().unwrap_or(authority)
    }

    fn url_of(&self, database: &str) -> String {
        format!("{}{database}{}", self.before, self.after)
    }

    async fn copy_template(&self, name: &str) -> anyhow::Result<()> {
        let template = template_name()?;
        let mut connection = self.connect().await?;
        if !exists(&mut connection, &template).await? {
            self.make_template(&mut connection, &template).await?;
        }
        run(&mut connection, copy_statement(name, &template)).await?;
        Ok(connection.close().await?)
    }

    /// Makes the template under another name first: under its own, it is complete.
    async fn make_template(&self, connection: &mut PgConnection, name: &str) -> anyhow::Result<()> {
        connection.execute(TEMPLATE_LOCK).await?;
        if exists(connection, name).await? {
            return Ok(());
        }
        let unfinished = format!("postroom_test_{}", Uuid::new_v4().simple());
        let create = format!("CREATE DATABASE {unfinished} ENCODING 'UTF8' TEMPLATE template0");
        run(connection, create).await?;
        storage_sql::migrate_up(&Options::new(self.url_of(&unfinished))).await?;
        run(
            connection,
            format!("ALTER DATABASE {unfinished} RENAME TO {name}"),
        )
        .await?;
        Ok(())
    }
}

/// A copy of files is cheaper than one of blocks through the log, if the server does not sync.
fn copy_statement(name: &str, template: &str) -> String {
    format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
}

/// A database for one test.
#[derive(Debug)]
pub struct PostgresDatabase {
    /// Url of the database.
    pub url: String,
    /// Name of the database.
    pub name: String,
    server: PostgresServer,
}

impl PostgresDatabase {
    /// Copies the database, which must have no connections.
    ///
    /// # Panics
    /// If somebody is.
    pub async fn copy(&self) -> Self {
        let name = format!("postroom_test_{}", Uuid::new_v4().simple());
        let copied = async {
            let mut connection = self.server.connect().await?;
            run(&mut connection, copy_statement(&name, &self.name)).await?;
            connection.close().await
        };
        copied.await.expect("a copy");
        Self {
            url: self.server.url_of(&name),
            server: self.server.clone(),
            name,
        }
    }

    /// Address of the server.
    ///
    /// # Panics
    /// If the url names no host and port that can be resolved.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        let host = self.server.host_and_port();
        let mut addresses = host.to_socket_addrs().expect("a host and port in the url");
        addresses.next().expect("an address of the host")
    }

    /// Url by way of a proxy at another address, without TLS.
    #[must_use]
    pub fn url_through(&self, address: SocketAddr) -> String {
        let url = self
            .url
            .replacen(self.server.host_and_port(), &address.to_string(), 1);
        let separator = if url.contains('?') { '&' } else { '?' };
        format!("{url}{separator}sslmode=disable")
    }

    /// Drops the database and its connections.
    pub async fn remove(self) {
        let removed = async {
            let mut connection = self.server.connect().await?;
            let text = format!("DROP DATABASE {} WITH (FORCE)", self.name);
            run(&mut connection, text).await?;
            connection.close().await
        };
        removed.await.expect("a database that can be removed");
    }
}

/// Name of the template for the current schema. A long-lived server may have templates of
/// several.
fn template_name() -> anyhow::Result<String> {
    let folder = workspace::root().join("shared/storage-sql/migrations/postgres");
    let mut steps: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    steps.sort_by_key(fs::DirEntry::file_name);
    let mut hasher = DefaultHasher::new();
    for step in steps {
        fs::read(step.path())?.hash(&mut hasher);
    }
    Ok(format!("postroom_template_{:016x}", hasher.finish()))
}

async fn exists(connection: &mut PgConnection, database: &str) -> sqlx::Result<bool> {
    let text = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)";
    sqlx::query_scalar(text)
        .bind(database)
        .fetch_one(connection)
        .await
}

/// Runs a statement that takes no parameters; all names in it are our own.
async fn run(connection: &mut PgConnection, text: String) -> sqlx::Result<()> {
    connection.execute(AssertSqlSafe(text)).await.map(drop)
}
