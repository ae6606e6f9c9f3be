use proto::v1;
use support::on_each_database;
use support::service::TestService;

use super::create_conversation::{create, creation, metadata, seen};
use crate::api::builders::{fields, ok, reason, strings};

fn update<const N: usize>(
    id: &str,
    delete: &[&str],
    set: [(&str, &str); N],
) -> v1::UpdateConversationMetadataRequest {
    v1::UpdateConversationMetadataRequest {
        conversation_id: id.to_owned(),
        delete_paths: strings(delete),
        set: metadata(set),
        ..Default::default()
    }
}

async fn paths_are_deleted_then_set(test: &TestService) {
    let request = v1::CreateConversationRequest {
        metadata: metadata([("a.b", "1"), ("a.c.d", "2"), ("e", "3")]),
        ..creation(&["bob"])
    };
    let (_, it) = create(test, "alice", request).await;
    let id = &*it.conversation_id;
    let mut bob = test.conversations("bob");
    for (change, version, after) in [
        (
            update(id, &["x", "a.b.y"], [("e", "3")]),
            1,
            it.metadata.clone(),
        ),
        (
            update(id, &["a"], [("a.b", "4")]),
            2,
            metadata([("a.b", "4"), ("e", "3")]),
        ),
        (
            update(id, &[], [("a", "5"), ("e.f", "6")]),
            3,
            metadata([("a", "5"), ("e.f", "6")]),
        ),
        (update(id, &["a", "e"], []), 4, metadata([])),
    ] {
        let updated = ok(bob.update_conversation_metadata(change)).await;
        assert_eq!(updated.version, version);
        let seen = seen(test, "alice", id).await.expect("a conversation");
        assert_eq!((seen.metadata, seen.version), (after, version));
        assert!(seen.distinct);
    }
}

async fn an_expected_version_guards_a_read_conversation(test: &TestService) {
    let (_, it) = create(test, "alice", creation(&["bob"])).await;
    let id = &*it.conversation_id;
    let expecting = |version, value| v1::UpdateConversationMetadataRequest {
        expected_version: Some(version),
        ..update(id, &[], [("a", value)])
    };
    let mut alice = test.conversations("alice");
    for (version, value) in [(1, "x"), (-1, "y"), (3, "z")] {
        ok(alice.update_conversation_metadata(expecting(version, value))).await;
    }
    let refused = alice.update_conversation_metadata(expecting(3, "w"));
    assert_eq!(reason(refused).await, "CONVERSATION_VERSION_MISMATCH");
    let mut mallory = test.conversations("mallory");
    let refused = mallory.update_conversation_metadata(expecting(4, "w"));
    assert_eq!(reason(refused).await, "CONVERSATION_NOT_FOUND");
}

async fn metadata_is_bounded_in_form_and_size(test: &TestService) {
    let (_, it) = create(test, "alice", creation(&["bob"])).await;
    let id = &*it.conversation_id;
    let mut alice = test.conversations("alice");
    let long = "x".repeat(1_500);
    ok(alice.update_conversation_metadata(update(id, &[], [("a.b", &*long)]))).await;
    let refused = alice.update_conversation_metadata(update(id, &[], [("a.c", &*long)]));
    assert_eq!(reason(refused).await, "METADATA_TOO_LARGE");
    let refused = alice.update_conversation_metadata(update(
        id,
        &["a..b"],
        [("a b", ""), ("c", ""), ("c.d", "")],
    ));
    let told = fields(refused).await;
    assert_eq!(told, ["delete_paths[0]", "set[\"a b\"]", "set[\"c.d\"]"]);
    for key in ["b", "c", "d", "e", "f", "g", "h", "i", "j"] {
        ok(alice.update_conversation_metadata(update(id, &[], [(key, &*long)]))).await;
    }
    let refused = alice.update_conversation_metadata(update(id, &[], [("k", &*long)]));
    assert_eq!(reason(refused).await, "METADATA_TOO_LARGE");
    let kept = seen(test, "bob", id).await.expect("a conversation");
    assert_eq!(kept.metadata.len(), 10);
}

on_each_database![
    paths_are_deleted_then_set,
    an_expected_version_guards_a_read_conversation,
    metadata_is_bounded_in_form_and_size,
];
