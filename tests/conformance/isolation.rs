//! Isolation: foreign and unknown ids give equal answers, and apps share nothing.

use domain::{Action, AppId, MessageId, Msgbox, Outcome, Refusal};
use storage::Requester;
use support::however_gathered;

use super::builders::{
    app, clear, configure, delete, edit, mark, nobodys, operation, other_app, profile, recall,
    remove, remove_one, send, sent, update,
};
use super::fixture::StoreFixture;
use super::page_offsets::everything;

however_gathered![
    apps_with_the_same_profiles_never_meet,
    messages_of_another_app_are_not_found,
    messages_of_another_owner_are_not_found,
    the_same_message_id_in_two_apps_is_two_messages,
];

async fn apps_with_the_same_profiles_never_meet(fixture: &StoreFixture) {
    let there = other_app("there");
    fixture.send("ann", &["bob"]).await;
    for _ in 0..2 {
        sent(
            fixture
                .execute(&there, operation(send("bob", &["ann"])))
                .await,
        );
    }
    assert_eq!(fixture.counts("ann").await, (0, 0, 1));
    assert_eq!(fixture.counts("bob").await, (1, 1, 0));
    assert_eq!(fixture.counts_in(&there, "ann").await, (2, 2, 0));
    assert_eq!(fixture.counts_in(&there, "bob").await, (0, 0, 2));
    let cleared = operation(clear("ann", Msgbox::Inbox));
    assert_eq!(
        fixture.execute(&there, cleared).await,
        Ok(Outcome::Changed(2))
    );
    assert_eq!(fixture.counts("bob").await, (1, 1, 0));

    let forbidding = configure(domain::Settings {
        allow_self_send: Some(false),
        ..domain::Settings::default()
    });
    let configured = fixture.execute(&there, operation(forbidding)).await;
    assert!(configured.is_ok());
    let to_self = || operation(send("ann", &["ann"]));
    assert_eq!(
        fixture.execute(&there, to_self()).await,
        Err(Refusal::NotAllowed)
    );
    assert!(fixture.execute(&app(), to_self()).await.is_ok());
}

/// Operations on a message id by an owner that does not hold it.
fn attempts(owner: &str, id: MessageId) -> Vec<Action> {
    let mut attempts = vec![mark(owner, &[id], true), edit(owner, id, "mine")];
    for msgbox in Msgbox::ALL {
        attempts.push(delete(owner, msgbox, &[id]));
        attempts.push(recall(owner, msgbox, &[id]));
    }
    attempts
}

fn attempts_of_the_app(id: MessageId) -> Vec<Action> {
    vec![
        update(id, "mine", None),
        update(id, "mine", Some(1)),
        remove_one(id, None),
        remove_one(id, Some(1)),
        remove(&[id]),
    ]
}

/// Each attempt does the same with one id as with the other, and changes nothing.
async fn are_the_same(
    fixture: &StoreFixture,
    app: &AppId,
    attempts: impl Fn(MessageId) -> Vec<Action>,
    id: MessageId,
) {
    let before = fixture.raw().await.everything("").await;
    for (known, unknown) in attempts(id).into_iter().zip(attempts(nobodys())) {
        let expected = fixture.execute(app, operation(unknown)).await;
        let verdict = fixture.execute(app, operation(known.clone())).await;
        assert_eq!(verdict, expected, "{known:?}");
        let nothing = [Ok(Outcome::Changed(0)), Err(Refusal::NotFound)];
        assert!(nothing.contains(&verdict), "{known:?}: {verdict:?}");
    }
    assert_eq!(fixture.raw().await.everything("").await, before);
}

async fn messages_of_another_app_are_not_found(fixture: &StoreFixture) {
    let there = other_app("there");
    let message = fixture.send("ann", &["bob"]).await;
    for owner in ["ann", "bob"] {
        let open = operation(super::builders::open(owner));
        assert_eq!(fixture.execute(&there, open).await, Ok(Outcome::Done));
        are_the_same(fixture, &there, |id| attempts(owner, id), message).await;
        let owner = profile(owner);
        for msgbox in Msgbox::ALL {
            let named = [message];
            let found = fixture.store.entries(&there, &owner, msgbox, &named, 1_000);
            assert_eq!(found.await.expect("entries").found, []);
        }
        let all = everything();
        let page = fixture
            .store
            .page(&there, &owner, Requester::App, &all)
            .await;
        assert!(page.expect("a page").found.items.is_empty());
    }
    are_the_same(fixture, &there, attempts_of_the_app, message).await;
    let found = fixture.store.messages(&there, &[message], 1_000).await;
    assert_eq!(found.expect("messages").found, []);
    let page = fixture.store.repository_page(&there, &everything()).await;
    assert!(page.expect("a page").items.is_empty());
}

async fn messages_of_another_owner_are_not_found(fixture: &StoreFixture) {
    let message = fixture.send("ann", &["bob"]).await;
    fixture.send("eve", &["eve"]).await;
    are_the_same(fixture, &app(), |id| attempts("eve", id), message).await;
    for msgbox in Msgbox::ALL {
        let found = fixture.entries("eve", msgbox, &[message], 1_000).await;
        assert_eq!(found.found, []);
    }
    // Nor to holders, in a box in which they do not hold it.
    let found = fixture
        .entries("ann", Msgbox::Inbox, &[message], 1_000)
        .await;
    assert_eq!(found.found, []);
    let wrong_box = fixture.done(delete("ann", Msgbox::Inbox, &[message])).await;
    assert_eq!(wrong_box, Outcome::Changed(0));
}

async fn the_same_message_id_in_two_apps_is_two_messages(fixture: &StoreFixture) {
    let there = other_app("there");
    let here = fixture.send("ann", &["bob"]).await;
    // A source of ids that starts again.
    let mut options = fixture.test.options.clone();
    options.ids = std::sync::Arc::new(support::ids::SequentialIds::default());
    let other = storage_sql::open(&options).await.expect("it opens");
    let deliver = operation(send("bob", &["cid"]));
    let deadline = super::fixture::in_time();
    let outcome = other.execute(&there, deliver, deadline).await;
    let Ok(Outcome::Sent(too)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(too.message_id, here);
    let removed = operation(remove(&[here]));
    assert_eq!(
        fixture.execute(&there, removed).await,
        Ok(Outcome::Changed(1))
    );
    assert_eq!(fixture.counts("bob").await, (1, 1, 0));
    assert_eq!(fixture.counts_in(&there, "cid").await, (0, 0, 0));
    other.close().await;
}
