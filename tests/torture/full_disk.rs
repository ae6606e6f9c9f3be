//! A disk that is full for a while.

use std::fs;
use std::path::Path;

use proto::v1::ErrorReason;
use support::coverage;
use support::process::{Deployment, ServerProcess};
use support::store::{DatabaseKind, TestDatabase, TestEnvironment as _};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::sends::{delivered, missing, request, send_all};

/// Messages before, and after.
const SENDS: usize = 100;
/// Refusals that are wanted while it is full.
const REFUSALS: usize = 50;
/// Messages that may fit before the disk must be full.
const FILLING_MAX: usize = 5_000;
/// Bytes that are left when the disk is about to be full.
const LEFT: u64 = 100 * 1024;

/// The largest of the files of the database.
fn largest(database: &Path) -> u64 {
    let files = ["", "-wal", "-shm"].map(|end| format!("{}{end}", database.display()));
    let sizes = files.iter().filter_map(|file| fs::metadata(file).ok());
    sizes.map(|file| file.len()).max().unwrap_or(0)
}

fn assert_is_refused_well(refused: &Status) {
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    let details = refused.get_error_details();
    let reason = details.error_info().map(|info| info.reason.as_str());
    let expected = ErrorReason::StorageUnavailable
        .as_str_name()
        .trim_start_matches("ERROR_REASON_");
    assert_eq!(reason, Some(expected), "{refused:?}");
}

#[tokio::test]
async fn a_full_disk_refuses_sends_and_loses_none() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let TestDatabase::Sqlite(folder) = deployment.database() else {
        unreachable!("it was asked for")
    };
    // Audited reads would write, too.
    let mut start = deployment.start();
    let unaudited = ("POSTROOM_AUDIT__READS", "false".to_owned());
    start.variables.push(unaudited);
    let server = ServerProcess::start(&start);
    let mut acknowledged = send_all(&server, 0..SENDS).await;

    server.limit_file_size(Some(largest(&folder.join("postroom.db")) + LEFT));
    let mut alice = server.messaging(&server.tokens.alice);
    let (mut number, mut refusals) = (SENDS, 0);
    while refusals < REFUSALS {
        assert!(number < FILLING_MAX, "the disk does not get full");
        match alice.send_message_simple(request(number)).await {
            Ok(sent) => acknowledged.push(sent.into_inner().message_id),
            Err(refused) => {
                assert_is_refused_well(&refused);
                refusals += 1;
            }
        }
        number += 1;
    }
    assert_eq!(
        missing(&server, &acknowledged).await,
        Vec::<String>::new(),
        "lost while it is full"
    );

    server.limit_file_size(None);
    acknowledged.extend(send_all(&server, number..number + SENDS).await);
    assert_eq!(
        missing(&server, &acknowledged).await,
        Vec::<String>::new(),
        "lost when it works again"
    );
    assert_eq!(
        delivered(&server).await,
        acknowledged.len(),
        "refused, and yet delivered"
    );

    server.kill();
    let server = deployment.serve();
    assert_eq!(
        missing(&server, &acknowledged).await,
        Vec::<String>::new(),
        "lost in the crash after"
    );
    drop(server);
    let verified = deployment.verify();
    coverage::print(&format!(
        "full disk: {} acknowledged, {refusals} refused, lost 0, no restart; {verified}",
        acknowledged.len()
    ));
    deployment.end(true).await;
}
