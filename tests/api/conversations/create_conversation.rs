use domain::limits::CONVERSATIONS_MAX;
use futures::future::join_all;
use proto::sys::v1 as sys;
use proto::v1;
use proto::v1::CreateConversationOutcome as Outcome;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{configure, counts, fields, ok, profiles, reason, strings};
use crate::api::messaging::block_profile::block;

/// A request to create a distinct conversation with others.
pub fn creation(others: &[impl AsRef<str>]) -> v1::CreateConversationRequest {
    v1::CreateConversationRequest {
        participants: strings(others),
        ..Default::default()
    }
}

/// Strings of metadata.
pub fn metadata<const N: usize>(
    strings: [(&str, &str); N],
) -> std::collections::BTreeMap<String, String> {
    strings
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .into()
}

/// A user creates a conversation that is not distinct.
pub async fn separate(test: &TestService, who: &str, others: &[&str]) -> v1::Conversation {
    let request = v1::CreateConversationRequest {
        distinct: Some(false),
        ..creation(others)
    };
    let created = ok(test.conversations(who).create_conversation(request)).await;
    assert_eq!(created.outcome(), Outcome::Created);
    created.conversation.expect("a conversation")
}

/// A user creates a distinct conversation, or finds it.
pub async fn create(
    test: &TestService,
    who: &str,
    request: v1::CreateConversationRequest,
) -> (Outcome, v1::Conversation) {
    let created = ok(test.conversations(who).create_conversation(request)).await;
    let outcome = created.outcome();
    let conversation = created.conversation.expect("a conversation");
    assert_eq!(created.conversation_id, conversation.conversation_id);
    (outcome, conversation)
}

/// A conversation as a participant sees it; none for others.
pub async fn seen(test: &TestService, who: &str, id: &str) -> Option<v1::Conversation> {
    let request = v1::GetConversationsRequest {
        conversation_ids: strings(&[id]),
    };
    let answer = ok(test.conversations(who).get_conversations(request)).await;
    assert_eq!(
        answer.conversations.len() + answer.missing_conversation_ids.len(),
        1
    );
    answer.conversations.into_iter().next()
}

async fn a_conversation_is_created_with_all_that_was_given(test: &TestService) {
    let request = v1::CreateConversationRequest {
        metadata: metadata([("game.kind", "chess"), ("topic", "é")]),
        ..creation(&["bob", "carol", "bob", "alice"])
    };
    let (outcome, created) = create(test, "alice", request.clone()).await;
    assert_eq!(outcome, Outcome::Created);
    assert_eq!(created.participants, ["alice", "bob", "carol"]);
    assert_eq!(created.metadata, request.metadata);
    assert!(created.distinct);
    assert_eq!(
        (created.version, &*created.creator_profile_id),
        (1, "alice")
    );
    assert_eq!(created.create_time, created.update_time);
    assert_eq!(created.create_time.expect("a time").seconds, test.now_s());
    for who in ["alice", "bob", "carol"] {
        let seen = seen(test, who, &created.conversation_id).await;
        assert_eq!(seen.as_ref(), Some(&created));
        assert_eq!(counts(test, who).await, (0, 0, 0));
    }
    assert_eq!(seen(test, "mallory", &created.conversation_id).await, None);
}

async fn a_distinct_conversation_is_found_by_each_participant(test: &TestService) {
    let (_, first) = create(test, "alice", creation(&["bob"])).await;
    let (outcome, found) = create(test, "bob", creation(&["alice"])).await;
    assert_eq!((outcome, &found), (Outcome::Found, &first));
    let other = v1::CreateConversationRequest {
        metadata: metadata([("topic", "go")]),
        ..creation(&["alice"])
    };
    let (outcome, found) = create(test, "bob", other).await;
    assert_eq!((outcome, &found), (Outcome::FoundWithOtherMetadata, &first));
    let one = separate(test, "alice", &["bob"]).await;
    let two = separate(test, "alice", &["bob"]).await;
    assert!(!one.distinct && one.conversation_id != two.conversation_id);
}

async fn a_chosen_id_is_that_of_one_request(test: &TestService) {
    let chosen = |others: &[&str], distinct| v1::CreateConversationRequest {
        conversation_id: "01890A5D-AC96-774B-BCCE-B302099A8057".to_owned(),
        distinct: Some(distinct),
        ..creation(others)
    };
    let (outcome, created) = create(test, "alice", chosen(&["bob"], false)).await;
    assert_eq!(outcome, Outcome::Created);
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    assert_eq!(created.conversation_id, id);
    let (outcome, again) = create(test, "alice", chosen(&["bob"], false)).await;
    assert_eq!((outcome, again), (Outcome::Found, created));
    for (who, request) in [
        ("alice", chosen(&["carol"], false)),
        ("alice", chosen(&["bob"], true)),
        ("bob", chosen(&["alice"], false)),
        ("mallory", chosen(&["carol"], false)),
    ] {
        assert_eq!(
            reason(test.conversations(who).create_conversation(request)).await,
            "CONVERSATION_ID_IN_USE",
            "{who}"
        );
    }
    // A distinct one that is found has its own id, and the chosen one is free.
    let (_, distinct) = create(test, "alice", creation(&["bob"])).await;
    let free = v1::CreateConversationRequest {
        conversation_id: "01890a5d-ac96-774b-bcce-b302099a8058".to_owned(),
        ..creation(&["bob"])
    };
    let (outcome, found) = create(test, "alice", free.clone()).await;
    assert_eq!((outcome, found), (Outcome::Found, distinct));
    assert_eq!(seen(test, "alice", &free.conversation_id).await, None);
}

async fn participants_are_bounded_by_the_app(test: &TestService) {
    let others = profiles(25);
    assert_eq!(
        reason(
            test.conversations("alice")
                .create_conversation(creation(&others))
        )
        .await,
        "MAX_PARTICIPANTS_EXCEEDED"
    );
    assert_eq!(
        fields(
            test.conversations("alice")
                .create_conversation(creation(&others))
        )
        .await,
        ["participants"]
    );
    create(test, "alice", creation(&others[1..])).await;
    let settings = sys::AppSettings {
        max_participants: Some(500),
        ..Default::default()
    };
    configure(test, settings).await;
    create(test, "alice", creation(&profiles(499))).await;
    assert_eq!(
        reason(
            test.conversations("alice")
                .create_conversation(creation(&profiles(500)))
        )
        .await,
        "MAX_PARTICIPANTS_EXCEEDED"
    );
}

async fn a_profile_that_the_caller_blocks_is_refused_before_it_is_found(test: &TestService) {
    create(test, "alice", creation(&["bob"])).await;
    block(test, "alice", "bob").await;
    assert_eq!(
        reason(
            test.conversations("alice")
                .create_conversation(creation(&["bob"]))
        )
        .await,
        "PROFILE_BLOCKED"
    );
    let (outcome, _) = create(test, "bob", creation(&["alice"])).await;
    assert_eq!(outcome, Outcome::Found);
}

async fn strangers_are_participants_only_where_the_app_allows_it(test: &TestService) {
    let settings = sys::AppSettings {
        allow_unknown_recipients: Some(false),
        ..Default::default()
    };
    configure(test, settings).await;
    counts(test, "bob").await;
    assert_eq!(
        reason(
            test.conversations("alice")
                .create_conversation(creation(&["bob", "stranger"]))
        )
        .await,
        "RECIPIENTS_UNKNOWN"
    );
    create(test, "alice", creation(&["bob"])).await;
}

async fn a_profile_has_a_bounded_number_of_conversations(test: &TestService) {
    let run = (0..CONVERSATIONS_MAX).map(|_| separate(test, "alice", &["bob"]));
    let all: Vec<_> = run.collect();
    for part in chunks(all, 100) {
        join_all(part).await;
    }
    for (who, other) in [("alice", "carol"), ("carol", "bob")] {
        assert_eq!(
            reason(
                test.conversations(who)
                    .create_conversation(creation(&[other]))
            )
            .await,
            "CONVERSATIONS_FULL"
        );
    }
}

/// Splits a list into parts of that length.
fn chunks<T>(list: Vec<T>, length: usize) -> Vec<Vec<T>> {
    let mut parts = Vec::new();
    let mut list = list.into_iter().peekable();
    while list.peek().is_some() {
        parts.push(list.by_ref().take(length).collect());
    }
    parts
}

on_each_database![
    a_conversation_is_created_with_all_that_was_given,
    a_distinct_conversation_is_found_by_each_participant,
    a_chosen_id_is_that_of_one_request,
    participants_are_bounded_by_the_app,
    a_profile_that_the_caller_blocks_is_refused_before_it_is_found,
    strangers_are_participants_only_where_the_app_allows_it,
    a_profile_has_a_bounded_number_of_conversations,
];
