//! Deleted contents leave the files of the embedded database.

use std::fs;
use std::path::Path;

use proto::v1;
use support::process::{Deployment, ServerProcess};
use support::store::{DatabaseKind, TestEnvironment as _};

/// Content of several pages.
const WORDS: &str = "canary of a deleted content; ";

async fn send(server: &ServerProcess) -> String {
    let request = v1::SendMessageSimpleRequest {
        to: vec!["bob".to_owned()],
        text: WORDS.repeat(800),
        ..Default::default()
    };
    let mut alice = server.messaging(&server.tokens.alice);
    let sent = alice.send_message_simple(request).await;
    sent.expect("it is sent").into_inner().message_id
}

async fn delete_for_everyone(server: &ServerProcess, message_id: String) {
    let request = v1::DeleteMessagesRequest {
        msgbox: "sent".to_owned(),
        message_ids: vec![message_id],
        scope: v1::DeleteScope::Everyone.into(),
        ..Default::default()
    };
    let mut alice = server.messaging(&server.tokens.alice);
    let deleted = alice.delete_messages(request).await;
    deleted.expect("it is deleted");
}

/// Number of files in a folder and its subfolders that have the words.
fn files_with_words(folder: &Path) -> usize {
    let mut found = 0;
    for entry in folder.read_dir().expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found += files_with_words(&path);
        } else {
            let file = fs::read(&path).expect("a file");
            let words = WORDS.as_bytes();
            found += usize::from(file.windows(words.len()).any(|part| part == words));
        }
    }
    found
}

#[tokio::test]
async fn a_deleted_content_leaves_the_files_at_a_clean_stop() {
    let deployment = Deployment::open(DatabaseKind::Sqlite.into()).await;
    let url = deployment.database().url();
    let file = url.strip_prefix("sqlite:").expect("a file");
    let folder = Path::new(file).parent().expect("a folder");
    let stop = async |server: ServerProcess| {
        server.terminate();
        assert!(server.ended().await.success());
    };
    let server = deployment.serve();
    let message_id = send(&server).await;
    stop(server).await;
    assert_eq!(files_with_words(folder), 1);
    let server = deployment.serve();
    delete_for_everyone(&server, message_id).await;
    stop(server).await;
    assert_eq!(files_with_words(folder), 0);
    deployment.end(true).await;
}
