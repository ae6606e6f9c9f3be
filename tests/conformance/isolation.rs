//! What is somebody else's and what does not exist are the same; apps never meet.

use domain::{Action, AppId, MessageId, Msgbox, Outcome, Refusal};
use storage::Reader;
use support::however_gathered;

use super::bench::Bench;
use super::turning::everything;
use super::words::{
    app, clear, configure, delete, edit, mark, nobodys, operation, other_app, profile, recall,
    remove, remove_one, send, sent, update,
};

however_gathered![
    apps_with_the_same_profiles_never_meet,
    what_is_in_another_app_does_not_exist,
    what_is_somebody_elses_does_not_exist,
    the_same_message_id_in_two_apps_is_two_messages,
];

async fn apps_with_the_same_profiles_never_meet(bench: &Bench) {
    let there = other_app("there");
    bench.send("ann", &["bob"]).await;
    for _ in 0..2 {
        sent(
            bench
                .execute(&there, operation(send("bob", &["ann"])))
                .await,
        );
    }
    assert_eq!(bench.counts("ann").await, (0, 0, 1));
    assert_eq!(bench.counts("bob").await, (1, 1, 0));
    assert_eq!(bench.counts_in(&there, "ann").await, (2, 2, 0));
    assert_eq!(bench.counts_in(&there, "bob").await, (0, 0, 2));
    let cleared = operation(clear("ann", Msgbox::Inbox));
    assert_eq!(
        bench.execute(&there, cleared).await,
        Ok(Outcome::Changed(2))
    );
    assert_eq!(bench.counts("bob").await, (1, 1, 0));

    let forbidding = configure(domain::Settings {
        allow_self_send: Some(false),
        ..domain::Settings::default()
    });
    let configured = bench.execute(&there, operation(forbidding)).await;
    assert!(configured.is_ok());
    let to_self = || operation(send("ann", &["ann"]));
    assert_eq!(
        bench.execute(&there, to_self()).await,
        Err(Refusal::NotAllowed)
    );
    assert!(bench.execute(&app(), to_self()).await.is_ok());
}

/// What an id is good for, in the hands of somebody to whom it means nothing.
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
    bench: &Bench,
    app: &AppId,
    attempts: impl Fn(MessageId) -> Vec<Action>,
    id: MessageId,
) {
    let before = bench.raw().await.everything("").await;
    for (known, unknown) in attempts(id).into_iter().zip(attempts(nobodys())) {
        let expected = bench.execute(app, operation(unknown)).await;
        let verdict = bench.execute(app, operation(known.clone())).await;
        assert_eq!(verdict, expected, "{known:?}");
        let nothing = [Ok(Outcome::Changed(0)), Err(Refusal::NotFound)];
        assert!(nothing.contains(&verdict), "{known:?}: {verdict:?}");
    }
    assert_eq!(bench.raw().await.everything("").await, before);
}

async fn what_is_in_another_app_does_not_exist(bench: &Bench) {
    let there = other_app("there");
    let message = bench.send("ann", &["bob"]).await;
    for owner in ["ann", "bob"] {
        let open = operation(super::words::open(owner));
        assert_eq!(bench.execute(&there, open).await, Ok(Outcome::Done));
        are_the_same(bench, &there, |id| attempts(owner, id), message).await;
        let owner = profile(owner);
        for msgbox in Msgbox::ALL {
            let named = [message];
            let found = bench.store.entries(&there, &owner, msgbox, &named, 1_000);
            assert_eq!(found.await.expect("entries").found, []);
        }
        let all = everything();
        let page = bench.store.page(&there, &owner, Reader::App, &all).await;
        assert!(page.expect("a page").found.items.is_empty());
    }
    are_the_same(bench, &there, attempts_of_the_app, message).await;
    let found = bench.store.messages(&there, &[message], 1_000).await;
    assert_eq!(found.expect("messages").found, []);
    let page = bench.store.repository_page(&there, &everything()).await;
    assert!(page.expect("a page").items.is_empty());
}

async fn what_is_somebody_elses_does_not_exist(bench: &Bench) {
    let message = bench.send("ann", &["bob"]).await;
    bench.send("eve", &["eve"]).await;
    are_the_same(bench, &app(), |id| attempts("eve", id), message).await;
    for msgbox in Msgbox::ALL {
        let found = bench.entries("eve", msgbox, &[message], 1_000).await;
        assert_eq!(found.found, []);
    }
    // Not even to those who hold it, in the box in which they do not.
    let found = bench.entries("ann", Msgbox::Inbox, &[message], 1_000).await;
    assert_eq!(found.found, []);
    let wrong_box = bench.done(delete("ann", Msgbox::Inbox, &[message])).await;
    assert_eq!(wrong_box, Outcome::Changed(0));
}

async fn the_same_message_id_in_two_apps_is_two_messages(bench: &Bench) {
    let there = other_app("there");
    let here = bench.send("ann", &["bob"]).await;
    // A source of ids that begins again.
    let mut options = bench.test.options.clone();
    options.ids = std::sync::Arc::new(support::ids::SequentialIds::default());
    let other = storage_sql::open(&options).await.expect("it opens");
    let deliver = operation(send("bob", &["cid"]));
    let deadline = super::bench::in_time();
    let outcome = other.execute(&there, deliver, deadline).await;
    let Ok(Outcome::Sent(too)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(too.message_id, here);
    let removed = operation(remove(&[here]));
    assert_eq!(
        bench.execute(&there, removed).await,
        Ok(Outcome::Changed(1))
    );
    assert_eq!(bench.counts("bob").await, (1, 1, 0));
    assert_eq!(bench.counts_in(&there, "cid").await, (0, 0, 0));
    other.close().await;
}
