//! Rights in `PostgreSQL`: the service changes rows, and only `migrate up` the schema.

use proto::v1;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use support::command::run;
use support::process::{Deployment, ServerProcess, postroom};
use support::store::{DatabaseKind, TestEnvironment as _};
use uuid::Uuid;

/// Rights of the service, as `deploy/README.md` has them.
const RIGHTS: [&str; 2] = [
    "GRANT USAGE ON SCHEMA public TO postroom_service",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO postroom_service",
];

#[tokio::test]
async fn a_role_without_rights_over_the_schema_serves_and_does_not_migrate() {
    let deployment = Deployment::open(DatabaseKind::Postgres.into()).await;
    let role = format!("service_{}", Uuid::new_v4().simple());
    let owner = deployment.database().url();
    let mut connection = PgConnection::connect(&owner).await.expect("a connection");
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'service'");
    for statement in [create.as_str()].iter().chain(&RIGHTS) {
        let statement = statement.replace("postroom_service", &role);
        let executed = connection.execute(AssertSqlSafe(statement)).await;
        executed.expect("a right");
    }
    connection.close().await.expect("an end");

    let mut start = deployment.start();
    let (_, place) = owner.rsplit_once('@').expect("credentials");
    let url = format!("postgres://{role}:service@{place}");
    start.database_url = Some(url.clone());
    let server = ServerProcess::start(&start);
    let mut alice = server.messaging(&server.tokens.alice);
    let request = v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned()],
        text: "hello".to_owned(),
        ..Default::default()
    };
    let sent = alice.send_message_simple(request).await.expect("a message");
    assert_eq!(sent.into_inner().actual, 1);
    server.terminate();
    assert!(server.ended().await.success());

    let mut connection = PgConnection::connect(&owner).await.expect("a connection");
    let emptied = connection.execute("DROP TABLE _sqlx_migrations").await;
    emptied.expect("a database without migrations");
    let migrated = run(postroom(["migrate", "up"]).env("POSTROOM_DATABASE__URL", &url));
    let error = format!("{:#}", migrated.expect_err("a refusal"));
    assert!(error.contains("permission denied"), "{error}");
    let dropped = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    let dropped = sqlx::raw_sql(AssertSqlSafe(dropped));
    dropped.execute(&mut connection).await.expect("no role");
    connection.close().await.expect("an end");
    deployment.end(false).await;
}
