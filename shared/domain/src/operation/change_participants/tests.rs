use super::*;
use crate::conversation::{Metadata, MetadataPath};
use crate::limits::CONVERSATIONS_MAX;
use crate::operation::{
    BlockProfile, ConversationCreated, CreateConversation, CreationOutcome, DeleteMailbox,
    LeaveConversation, UpdateConversationMetadata,
};
use crate::quota::KeptQuota;
use crate::refusal::LimitExceeded;
use crate::testing::{MemoryStore, conversation_id, metadata, profile, profiles};
use crate::usage::{AppUsage, UsageState};

fn creation<const N: usize>(creator: &str, others: [&str; N]) -> CreateConversation {
    let others = profiles(others);
    CreateConversation::new(profile(creator), others, true, Metadata::default(), None)
}

fn create<const N: usize>(
    store: &mut MemoryStore,
    now: i64,
    creator: &str,
    others: [&str; N],
) -> Result<ConversationCreated, Refusal> {
    store.execute(now, creation(creator, others))
}

/// Creates a distinct conversation that is new.
fn created<const N: usize>(
    store: &mut MemoryStore,
    now: i64,
    creator: &str,
    others: [&str; N],
) -> ConversationId {
    let created = create(store, now, creator, others).expect("a conversation");
    assert_eq!(created.outcome, CreationOutcome::Created);
    created.conversation_id
}

fn change<const N: usize>(
    store: &mut MemoryStore,
    change: ParticipantsChange,
    id: ConversationId,
    named: [&str; N],
) -> Result<i64, Refusal> {
    let change = ChangeParticipants::new(profile("ann"), id, change, profiles(named));
    store.execute(50, change).map(|version| version.0)
}

fn participants(store: &MemoryStore, id: ConversationId) -> Vec<ProfileId> {
    store.conversations[&id].participants.clone()
}

fn conversations(store: &MemoryStore, owner: &str) -> i64 {
    store.mailbox(owner).conversations
}

use ParticipantsChange::{Add, Remove, Replace};

#[test]
fn a_distinct_conversation_is_found_by_its_participants_only() {
    let mut store = MemoryStore::of(["ann", "bob", "cid"]);
    let one = created(&mut store, 10, "ann", ["bob"]);
    for (creator, other) in [("ann", "bob"), ("bob", "ann")] {
        let again = create(&mut store, 11, creator, [other, other, creator]);
        let found = ConversationCreated {
            conversation_id: one,
            outcome: CreationOutcome::Found,
        };
        assert_eq!(again, Ok(found));
    }
    let other = created(&mut store, 12, "ann", ["bob", "cid"]);
    assert_ne!(one, other);
    let separate = CreateConversation::new(
        profile("ann"),
        profiles(["bob"]),
        false,
        Metadata::default(),
        None,
    );
    let separate = store.execute(13, separate).expect("a conversation");
    assert_eq!(separate.outcome, CreationOutcome::Created);
    assert_eq!(
        store.conversations[&separate.conversation_id].distinct_key,
        None
    );
    let [ann, bob, cid] = ["ann", "bob", "cid"].map(|it| conversations(&store, it));
    assert_eq!((ann, bob, cid), (3, 3, 1));
    assert_eq!(store.mailbox("ann").seq, 0, "no change of the feed");
}

#[test]
fn a_found_conversation_keeps_its_metadata_and_tells_of_others() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let with = |strings: Metadata| {
        CreateConversation::new(profile("ann"), profiles(["bob"]), true, strings, None)
    };
    let game = metadata([("topic", "chess")]);
    let created = store.execute(10, with(game.clone())).expect("one");
    for (strings, expected) in [
        (Metadata::default(), CreationOutcome::Found),
        (game.clone(), CreationOutcome::Found),
        (
            metadata([("topic", "go")]),
            CreationOutcome::FoundWithOtherMetadata,
        ),
    ] {
        let found = store.execute(11, with(strings)).expect("one");
        assert_eq!(found.outcome, expected);
        assert_eq!(found.conversation_id, created.conversation_id);
    }
    assert_eq!(store.conversations[&created.conversation_id].metadata, game);
}

#[test]
fn a_chosen_id_is_found_by_the_same_request_of_the_same_creator() {
    let mut store = MemoryStore::of(["ann", "bob", "cid"]);
    let id = conversation_id(7);
    let chosen = |creator: &str, other: &str, distinct| {
        CreateConversation::new(
            profile(creator),
            profiles([other]),
            distinct,
            Metadata::default(),
            Some(id),
        )
    };
    let created = store.execute(10, chosen("ann", "bob", false)).expect("one");
    assert_eq!(
        (created.conversation_id, created.outcome),
        (id, CreationOutcome::Created)
    );
    let again = store.execute(11, chosen("ann", "bob", false)).expect("one");
    assert_eq!(
        (again.conversation_id, again.outcome),
        (id, CreationOutcome::Found)
    );
    for other in [
        chosen("ann", "cid", false),
        chosen("ann", "bob", true),
        chosen("bob", "ann", false),
        chosen("cid", "ann", false),
    ] {
        assert_eq!(store.execute(12, other), Err(Refusal::ConversationIdInUse));
    }
    // Once its creator has left, nothing tells that it was the same.
    let leave = LeaveConversation {
        caller: profile("ann"),
        conversation_id: id,
    };
    store.execute(13, leave).expect("left");
    assert_eq!(store.conversations[&id].creator, None);
    let again = store.execute(14, chosen("ann", "bob", false));
    assert_eq!(again, Err(Refusal::ConversationIdInUse));
}

#[test]
fn any_real_change_of_participants_ends_distinctness() {
    let mut store = MemoryStore::of(["ann", "bob", "cid"]);
    let id = created(&mut store, 10, "ann", ["bob"]);
    assert_eq!(change(&mut store, Add, id, ["bob", "ann"]), Ok(1));
    assert_eq!(change(&mut store, Remove, id, ["cid"]), Ok(1));
    assert_eq!(change(&mut store, Replace, id, ["bob"]), Ok(1));
    assert!(store.conversations[&id].distinct_key.is_some());
    assert_eq!(change(&mut store, Add, id, ["cid", "bob"]), Ok(2));
    assert_eq!(change(&mut store, Remove, id, ["cid"]), Ok(3));
    assert_eq!(participants(&store, id), profiles(["ann", "bob"]));
    let after = &store.conversations[&id];
    assert_eq!((after.distinct_key, after.update_ms.0), (None, 50));
    assert_ne!(created(&mut store, 60, "ann", ["bob"]), id);
}

#[test]
fn participants_are_replaced_at_once_and_the_caller_stays() {
    let mut store = MemoryStore::of(["ann", "bob", "cid", "dan"]);
    let id = created(&mut store, 10, "bob", ["ann", "cid"]);
    assert_eq!(change(&mut store, Replace, id, ["dan", "cid"]), Ok(2));
    assert_eq!(participants(&store, id), profiles(["ann", "cid", "dan"]));
    let counts = ["ann", "bob", "cid", "dan"].map(|it| conversations(&store, it));
    assert_eq!(counts, [1, 0, 1, 1]);
    assert_eq!(store.conversations[&id].creator, None);
}

#[test]
fn a_removal_leaves_two_participants_and_the_last_to_leave_ends_it() {
    let mut store = MemoryStore::of(["ann", "bob", "cid"]);
    let id = created(&mut store, 10, "ann", ["bob", "cid"]);
    let refused = change(&mut store, Remove, id, ["bob", "cid"]);
    assert_eq!(refused, Err(Refusal::TooFewParticipants));
    let refused = change(&mut store, Replace, id, ["ann"]);
    assert_eq!(refused, Err(Refusal::TooFewParticipants));
    assert_eq!(change(&mut store, Remove, id, ["ann"]), Ok(2));
    let refused = change(&mut store, Add, id, ["ann"]);
    assert_eq!(refused, Err(Refusal::ConversationNotFound));
    for (caller, is_left) in [("cid", true), ("bob", false)] {
        let leave = LeaveConversation {
            caller: profile(caller),
            conversation_id: id,
        };
        assert_eq!(store.execute(60, leave.clone()), Ok(()));
        assert_eq!(store.conversations.contains_key(&id), is_left);
        let again = store.execute(61, leave);
        assert_eq!(again, Err(Refusal::ConversationNotFound));
    }
    assert_eq!(conversations(&store, "bob"), 0);
}

#[test]
fn numbers_of_participants_and_of_conversations_are_bounded() {
    let mut store = MemoryStore::of(["ann", "bob", "cid"]);
    store.policy.max_participants = 2;
    let id = created(&mut store, 10, "ann", ["bob"]);
    let exceeded = LimitExceeded::Participants { named: 3, max: 2 };
    let refused = Err(Refusal::LimitsExceeded(vec![exceeded]));
    assert_eq!(create(&mut store, 11, "ann", ["bob", "cid"]), refused);
    let refused = Err(Refusal::LimitsExceeded(vec![exceeded]));
    assert_eq!(change(&mut store, Add, id, ["cid"]), refused);
    store.policy.max_participants = 3;
    let mut ledger = store.ledger(20);
    for number in 1..=CONVERSATIONS_MAX {
        let chosen = conversation_id(number.into());
        let create = CreateConversation::new(
            profile("cid"),
            profiles(["bob"]),
            false,
            Metadata::default(),
            Some(chosen),
        );
        let is_last = number == CONVERSATIONS_MAX;
        // Bob has one more.
        assert_eq!(create.apply(&mut ledger).is_err(), is_last, "{number}");
    }
    store.write(ledger);
    let refused = create(&mut store, 30, "bob", ["cid"]);
    assert_eq!(refused, Err(Refusal::ConversationsFull));
    let again = create(&mut store, 31, "bob", ["ann"]).expect("the distinct one");
    assert_eq!(again.conversation_id, id);
    assert_eq!(change(&mut store, Add, id, ["cid"]), Ok(2));
}

#[test]
fn a_caller_brings_in_no_profile_that_it_blocks() {
    let mut store = MemoryStore::of(["ann", "bob", "cid"]);
    let id = created(&mut store, 10, "ann", ["bob"]);
    let block = |owner: &str, other: &str| BlockProfile {
        owner: profile(owner),
        profile_id: profile(other),
    };
    store.execute(11, block("ann", "bob")).expect("a block");
    store.execute(11, block("cid", "ann")).expect("a block");
    let refused = create(&mut store, 12, "ann", ["bob"]);
    assert_eq!(refused, Err(Refusal::ProfileBlocked), "before it is found");
    let refused = change(&mut store, Add, id, ["cid"]);
    assert_eq!(refused, Ok(2), "one that blocks the caller cannot be told");
    let refused = change(&mut store, Replace, id, ["cid"]);
    assert_eq!(refused, Ok(3));
    let refused = change(&mut store, Add, id, ["bob"]);
    assert_eq!(refused, Err(Refusal::ProfileBlocked));
    assert!(create(&mut store, 12, "bob", ["ann"]).is_ok());
}

#[test]
fn strangers_are_bounded_as_those_of_messages_are() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    store.policy.quotas.profile_unused_mailboxes = 1;
    let id = created(&mut store, 10, "ann", ["bob", "x1"]);
    let refused = change(&mut store, Add, id, ["x2"]);
    assert_eq!(
        refused,
        Err(Refusal::TooMuchKept(KeptQuota::ProfileUnusedMailboxes))
    );
    assert!(!store.mailboxes.contains_key(&profile("x2")));
    assert_eq!(change(&mut store, Remove, id, ["x1"]), Ok(2));
    assert!(
        !store.mailboxes.contains_key(&profile("x1")),
        "nothing holds it"
    );
    assert_eq!(change(&mut store, Add, id, ["x2"]), Ok(3));
    store.policy.allow_unknown_recipients = false;
    let refused = change(&mut store, Add, id, ["x3"]);
    assert_eq!(refused, Err(Refusal::RecipientsUnknown));
    let delete = DeleteMailbox {
        owner: profile("x2"),
    };
    assert_eq!(store.execute(60, delete), Ok(0));
}

#[test]
fn a_quota_of_mailboxes_of_the_app_applies_to_participants() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    store.policy.quotas.app_mailboxes = 3;
    let create = creation("ann", ["bob", "x1", "x2"]);
    for (usage, verdict) in [(1, true), (2, false)] {
        for owner in ["x1", "x2"] {
            store.create_mailbox(profile(owner));
        }
        let mut ledger = store.ledger(10);
        // Those that are unused go with the batch.
        ledger.read_usage(UsageState::Known(AppUsage {
            bytes: 0,
            mailboxes: usage + 2,
        }));
        let made = create.apply(&mut ledger);
        let refused = Err(Refusal::TooMuchKept(KeptQuota::AppMailboxes));
        assert_eq!(made.is_ok(), verdict, "{made:?}");
        assert!(verdict || made == refused);
    }
}

#[test]
fn metadata_is_deleted_then_set_under_the_expected_version() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let id = created(&mut store, 10, "ann", ["bob"]);
    let mut update = |delete: &[&str], set: Metadata, expected_version| {
        let delete = delete
            .iter()
            .map(|it| MetadataPath::parse(it).expect("a path"));
        let update = UpdateConversationMetadata {
            caller: profile("bob"),
            conversation_id: id,
            delete: delete.collect(),
            set,
            expected_version,
        };
        let version = store.execute(20, update).map(|version| version.0);
        (version, store.conversations[&id].metadata.clone())
    };
    let topic = metadata([("a.b", "1"), ("c", "2")]);
    assert_eq!(update(&[], topic.clone(), Some(1)), (Ok(2), topic.clone()));
    assert_eq!(update(&["x"], topic.clone(), None), (Ok(2), topic.clone()));
    let refused = Refusal::ConversationVersionMismatch {
        expected: 1,
        current: 2,
    };
    let other = update(&["a"], Metadata::default(), Some(1));
    assert_eq!(other, (Err(refused), topic.clone()));
    let after = metadata([("a.d", "3"), ("c", "2")]);
    let set = metadata([("a.d", "3")]);
    assert_eq!(update(&["a"], set, Some(2)), (Ok(3), after.clone()));
    let long = "x".repeat(2_048);
    let (refused, kept) = update(&[], metadata([("a.d", &*long)]), None);
    let exceeded = LimitExceeded::Metadata {
        bytes: 2_051,
        max: 2_048,
    };
    assert_eq!(refused, Err(Refusal::LimitsExceeded(vec![exceeded])));
    assert_eq!(kept, after);
    assert!(store.conversations[&id].distinct_key.is_some());
}

#[test]
fn an_operation_sees_changes_of_earlier_ones_of_its_batch() {
    let mut store = MemoryStore::of(["ann", "bob", "cid"]);
    let id = created(&mut store, 10, "ann", ["bob"]);
    let mut ledger = store.ledger(20);
    let add = ChangeParticipants::new(profile("ann"), id, Add, profiles(["cid"]));
    assert_eq!(add.apply(&mut ledger), Ok(ConversationVersion(2)));
    let new = creation("ann", ["bob"]).apply(&mut ledger).expect("one");
    assert_eq!(new.outcome, CreationOutcome::Created);
    for caller in ["ann", "bob", "cid"] {
        let leave = LeaveConversation {
            caller: profile(caller),
            conversation_id: id,
        };
        assert_eq!(leave.apply(&mut ledger), Ok(()));
    }
    store.write(ledger);
    assert_eq!(store.conversations.len(), 1);
    let counts = ["ann", "bob", "cid"].map(|it| conversations(&store, it));
    assert_eq!(counts, [1, 1, 0]);
}

#[test]
fn a_conversation_that_was_found_only_is_not_changed() {
    let mut store = MemoryStore::of(["ann", "bob"]);
    let id = created(&mut store, 10, "ann", ["bob"]);
    let mut ledger = store.empty_ledger(20);
    ledger.find_conversation(store.conversations[&id].clone());
    let leave = LeaveConversation {
        caller: profile("ann"),
        conversation_id: id,
    };
    let refused = leave.apply(&mut ledger);
    assert_eq!(refused, Err(Refusal::ConversationNotFound));
    let found = creation("ann", ["bob"]).apply(&mut ledger).expect("one");
    assert_eq!(found.conversation_id, id);
}
