//! Conversations and their participants.

use domain::conversation::MetadataPath;
use domain::operation::{
    ChangeParticipants, ConversationCreated, CreateConversation, CreationOutcome,
    LeaveConversation, ParticipantsChange, UpdateConversationMetadata,
};
use domain::{Action, AppId, Conversation, ConversationId, Metadata, Outcome, ProfileId, Refusal};
use futures::future::{join, join_all};
use support::{however_gathered, on_each_database};
use uuid::Uuid;

use super::builders::{app, block, operation, other_app, profile, repeatable};
use super::fixture::{BatchStore, StoreFixture};

use ParticipantsChange::{Add, Remove, Replace};

mod gathered {
    use super::*;

    however_gathered![
        a_conversation_is_in_the_mailboxes_of_its_participants,
        operations_of_one_transaction_see_each_other,
        the_same_conversation_id_in_two_apps_is_two_conversations,
        a_conversation_of_others_is_neither_found_nor_changed,
        a_repeated_creation_gives_the_first_answer,
        concurrent_changes_keep_participants_and_mailboxes_alike,
    ];
}

on_each_database![concurrent_creations_of_two_replicas_make_one_conversation];

/// Rounds of two creations at once.
const ROUNDS: usize = 200;

fn profiles(names: &[&str]) -> Vec<ProfileId> {
    names.iter().map(|name| profile(name)).collect()
}

fn metadata(strings: &[(&str, &str)]) -> Metadata {
    let strings = strings
        .iter()
        .map(|(path, value)| ((*path).to_owned(), (*value).to_owned()));
    let strings: std::collections::BTreeMap<String, String> = strings.collect();
    Metadata::parse(&strings).expect("metadata")
}

fn id(number: u128) -> ConversationId {
    ConversationId::new(Uuid::from_u128(number))
}

/// Creates a distinct conversation.
pub fn create(creator: &str, others: &[&str]) -> Action {
    let others = profiles(others);
    CreateConversation::new(profile(creator), others, true, Metadata::default(), None).into()
}

/// Creates a conversation with a chosen id, which is not distinct.
pub fn create_chosen(creator: &str, others: &[&str], id: ConversationId) -> Action {
    let others = profiles(others);
    CreateConversation::new(
        profile(creator),
        others,
        false,
        Metadata::default(),
        Some(id),
    )
    .into()
}

pub fn change(
    change: ParticipantsChange,
    caller: &str,
    id: ConversationId,
    named: &[&str],
) -> Action {
    ChangeParticipants::new(profile(caller), id, change, profiles(named)).into()
}

pub fn leave(caller: &str, conversation_id: ConversationId) -> Action {
    let caller = profile(caller);
    LeaveConversation {
        caller,
        conversation_id,
    }
    .into()
}

pub fn set(caller: &str, conversation_id: ConversationId, path: &str, value: &str) -> Action {
    UpdateConversationMetadata {
        caller: profile(caller),
        conversation_id,
        delete: vec![MetadataPath::parse("gone").expect("a path")],
        set: metadata(&[(path, value)]),
        expected_version: None,
    }
    .into()
}

/// The conversation that an operation has created or found.
pub fn created(outcome: Result<Outcome, Refusal>) -> ConversationCreated {
    match outcome {
        Ok(Outcome::ConversationCreated(created)) => created,
        other => panic!("{other:?}"),
    }
}

async fn conversations(store: &BatchStore, app: &AppId, owner: &str) -> Vec<Conversation> {
    let owner = profile(owner);
    let all = store.participations(app, &owner).await.expect("an answer");
    let mut ids: Vec<ConversationId> = all.iter().map(|it| it.conversation_id).collect();
    ids.sort_unstable();
    let found = store.conversations(app, &owner, &ids).await;
    let found = found.expect("an answer");
    assert_eq!(found.len(), all.len());
    for (one, other) in all.iter().zip(&found) {
        assert_eq!(one.create_ms, other.create_ms);
    }
    found
}

async fn participants(fixture: &StoreFixture, owner: &str) -> Vec<Vec<String>> {
    let found = conversations(&fixture.store, &app(), owner).await;
    let names = |it: &Conversation| it.participants.iter().map(ToString::to_string).collect();
    found.iter().map(names).collect()
}

async fn a_conversation_is_in_the_mailboxes_of_its_participants(fixture: &StoreFixture) {
    let one = created(fixture.act(create("ann", &["bob"])).await);
    assert_eq!(one.outcome, CreationOutcome::Created);
    let again = created(fixture.act(create("bob", &["ann"])).await);
    let found = ConversationCreated {
        outcome: CreationOutcome::Found,
        ..one
    };
    assert_eq!(again, found);
    fixture.clock().advance(10);
    let id = one.conversation_id;
    for (action, ann, bob, cid) in [
        (change(Add, "bob", id, &["cid"]), true, true, true),
        (change(Remove, "cid", id, &["ann"]), false, true, true),
        (change(Replace, "bob", id, &["ann"]), true, true, false),
        (set("ann", id, "a.b", "c"), true, true, false),
        (leave("bob", id), true, false, false),
    ] {
        fixture.done(action).await;
        for (who, is_in) in [("ann", ann), ("bob", bob), ("cid", cid)] {
            assert_eq!(!participants(fixture, who).await.is_empty(), is_in, "{who}");
        }
    }
    let left = conversations(&fixture.store, &app(), "ann").await;
    let expected = Conversation {
        conversation_id: id,
        distinct_key: None,
        participants: profiles(&["ann"]),
        metadata: metadata(&[("a.b", "c")]),
        version: 6,
        creator: None,
        update_ms: fixture.clock().now_ms(),
        ..left[0].clone()
    };
    assert_eq!(left, [expected]);
    fixture.done(leave("ann", id)).await;
    let raw = fixture.raw().await;
    for table in ["conversation", "participant"] {
        let rows = format!("SELECT count(*) FROM {table}");
        assert_eq!(raw.number(&rows).await, 0);
    }
}

async fn operations_of_one_transaction_see_each_other(fixture: &StoreFixture) {
    let one = created(fixture.act(create("ann", &["bob"])).await).conversation_id;
    let verdicts = fixture
        .batch([
            change(Add, "ann", one, &["cid"]),
            create("bob", &["ann"]),
            create("ann", &["bob"]),
            leave("cid", one),
            change(Add, "cid", one, &["dan"]),
            create_chosen("ann", &["dan"], id(7)),
            change(Replace, "dan", id(7), &["cid"]),
        ])
        .await;
    let [added, new, found, left, refused, chosen, replaced] = &verdicts[..] else {
        panic!("{verdicts:?}");
    };
    assert!(
        added.is_ok() && left.is_ok() && replaced.is_ok(),
        "{verdicts:?}"
    );
    let (new, found) = (created(new.clone()), created(found.clone()));
    assert_eq!(new.outcome, CreationOutcome::Created);
    assert_eq!(found.outcome, CreationOutcome::Found);
    assert_eq!(new.conversation_id, found.conversation_id);
    assert_eq!(*refused, Err(Refusal::ConversationNotFound));
    assert_eq!(created(chosen.clone()).conversation_id, id(7));
    assert_eq!(participants(fixture, "dan").await, [["cid", "dan"]]);
    assert_eq!(participants(fixture, "ann").await, [["ann", "bob"]; 2]);
}

async fn the_same_conversation_id_in_two_apps_is_two_conversations(fixture: &StoreFixture) {
    let there = other_app("there");
    for app in [app(), there.clone()] {
        let chosen = operation(create_chosen("ann", &["bob"], id(7)));
        let made = created(fixture.execute(&app, chosen).await);
        assert_eq!(made.outcome, CreationOutcome::Created);
        let distinct = operation(create("ann", &["bob"]));
        let made = created(fixture.execute(&app, distinct).await);
        assert_eq!(made.outcome, CreationOutcome::Created);
    }
    fixture.done(change(Add, "ann", id(7), &["cid"])).await;
    let theirs = conversations(&fixture.store, &there, "bob").await;
    assert!(
        theirs
            .iter()
            .all(|it| it.version == 1 && it.participants.len() == 2)
    );
    assert_eq!(conversations(&fixture.store, &there, "cid").await, []);
}

async fn a_conversation_of_others_is_neither_found_nor_changed(fixture: &StoreFixture) {
    let one = created(fixture.act(create("ann", &["bob"])).await).conversation_id;
    for id in [one, id(7)] {
        for action in [
            change(Add, "eve", id, &["eve"]),
            change(Remove, "eve", id, &["ann"]),
            change(Replace, "eve", id, &["bob"]),
            set("eve", id, "a", "b"),
            leave("eve", id),
        ] {
            let refused = fixture.act(action).await;
            assert_eq!(refused, Err(Refusal::ConversationNotFound));
        }
    }
    let of_ann = conversations(&fixture.store, &app(), "ann").await;
    assert_eq!((of_ann.len(), of_ann[0].version), (1, 1));
    let eve = profile("eve");
    let found = fixture.store.conversations(&app(), &eve, &[one]).await;
    assert_eq!(found.expect("an answer"), []);
    fixture.done(block("ann", "dan")).await;
    let refused = fixture.act(change(Add, "ann", one, &["dan"])).await;
    assert_eq!(refused, Err(Refusal::ProfileBlocked));
}

async fn a_repeated_creation_gives_the_first_answer(fixture: &StoreFixture) {
    let once = || repeatable("once", 1, create("ann", &["bob"]));
    let first = created(fixture.execute(&app(), once()).await);
    fixture.done(leave("ann", first.conversation_id)).await;
    assert_eq!(created(fixture.execute(&app(), once()).await), first);
    let add = || {
        repeatable(
            "twice",
            2,
            change(Add, "bob", first.conversation_id, &["cid"]),
        )
    };
    let added = fixture.execute(&app(), add()).await;
    fixture.done(leave("bob", first.conversation_id)).await;
    assert_eq!(fixture.execute(&app(), add()).await, added);
}

async fn concurrent_changes_keep_participants_and_mailboxes_alike(fixture: &StoreFixture) {
    let replica = fixture.replica().await;
    let one = created(fixture.act(create("ann", &["bob"])).await).conversation_id;
    let actions = (0..80).map(|number| match number % 5 {
        0 => change(Add, "ann", one, &["cid", "dan"]),
        1 => change(Remove, "ann", one, &["cid"]),
        2 => change(Replace, "ann", one, &["bob", "dan"]),
        3 => create("ann", &["bob"]),
        _ => set("ann", one, "a", "b"),
    });
    let app = app();
    let run = actions.enumerate().map(|(number, action)| {
        let store = if number % 3 == 0 {
            &replica
        } else {
            &fixture.store
        };
        store.run(&app, operation(action))
    });
    let verdicts = join_all(run).await;
    assert!(verdicts.iter().all(Result::is_ok), "{verdicts:?}");
    fixture.done(create("ann", &["bob"])).await;
    let raw = fixture.raw().await;
    let rows = raw.number("SELECT count(*) FROM participant").await;
    let mut listed = 0;
    for who in ["ann", "bob", "cid", "dan"] {
        for it in conversations(&replica, &app, who).await {
            assert!(it.has(&profile(who)));
            listed += 1;
        }
    }
    assert_eq!(rows, listed);
    let distinct = "SELECT count(*) FROM conversation WHERE distinct_key IS NOT NULL";
    assert_eq!(raw.number(distinct).await, 1);
    replica.close().await;
}

async fn concurrent_creations_of_two_replicas_make_one_conversation(fixture: &StoreFixture) {
    let replica = fixture.replica().await;
    let app = app();
    // Names in both orders, half of them new.
    for round in 0..ROUNDS {
        let names = [format!("a{}", round % 100), format!("b{round}")];
        let [one, other] = [&*names[0], &*names[1]];
        let creations = [
            (&fixture.store, create(one, &[other])),
            (&replica, create(other, &[one])),
            (&fixture.store, create(other, &[one, other])),
            (&replica, create(one, &[other, one])),
        ];
        let run = creations.map(|(store, action)| store.run(&app, operation(action)));
        let made: Vec<_> = join_all(run).await.into_iter().map(created).collect();
        let ids = made.iter().map(|it| it.conversation_id);
        assert!(
            ids.clone().all(|id| id == made[0].conversation_id),
            "{made:?}"
        );
        let new = made
            .iter()
            .filter(|it| it.outcome == CreationOutcome::Created);
        assert_eq!(new.count(), 1, "{made:?}");
    }
    let rows = fixture
        .raw()
        .await
        .number("SELECT count(*) FROM conversation")
        .await;
    assert_eq!(rows, i64::try_from(ROUNDS).expect("a number"));
    // The same chosen id by users who share no mailbox.
    for round in 0..20 {
        let chosen = id(round + 1);
        let (ann, bob) = join(
            fixture
                .store
                .run(&app, operation(create_chosen("ann", &["cid"], chosen))),
            replica.run(&app, operation(create_chosen("bob", &["dan"], chosen))),
        )
        .await;
        let refused = [&ann, &bob].into_iter().filter(|it| it.is_err());
        let refused: Vec<_> = refused.collect();
        assert_eq!(refused, [&Err(Refusal::ConversationIdInUse)]);
    }
    replica.close().await;
}
