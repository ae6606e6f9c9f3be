use std::time::Duration;

use futures::{StreamExt as _, stream};
use prost_types::Duration as Lifetime;
use proto::sys::v1::send_to_profiles_request::Piece;
use proto::sys::v1::{
    AppSettings, CancelSendJobRequest, DeleteMessageRequest, GetSendJobRequest, GetSendJobResponse,
    SegmentMessage, SegmentRecipients, SendJobChange, SendJobCounts, SendJobState,
    SendToProfilesRequest, SendToProfilesResponse, UpdateMessageRequest, send_job_change,
};
use proto::v1;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    SmallBoxes, UNKNOWN, configure, content, counts, deletion, entry, fields, is_stored, json,
    mark, news, ok, profiles, reason, reason_of, refused, sealed, send, stored, strings, text,
    with,
};

/// The first piece.
fn says(change: impl FnOnce(&mut SegmentMessage)) -> SendToProfilesRequest {
    let mut message = SegmentMessage {
        content: Some(text("to some")),
        sender: Some(news()),
        ..Default::default()
    };
    change(&mut message);
    piece(Piece::Message(message))
}

/// A further piece.
fn to(recipients: &[impl AsRef<str>]) -> SendToProfilesRequest {
    piece(Piece::Recipients(SegmentRecipients {
        profile_ids: strings(recipients),
    }))
}

fn piece(piece: Piece) -> SendToProfilesRequest {
    SendToProfilesRequest { piece: Some(piece) }
}

/// Sends pieces, and waits until the job has nothing to do.
async fn sent(test: &TestService, pieces: Vec<SendToProfilesRequest>) -> SendToProfilesResponse {
    let sent = ok(test.sys().send_to_profiles(stream::iter(pieces))).await;
    all_steps(test).await;
    sent
}

async fn all_steps(test: &TestService) {
    while test.store.store.run_jobs().await.expect("a step") {}
}

async fn job(test: &TestService, id: &str) -> GetSendJobResponse {
    let job_id = id.to_owned();
    ok(test.sys().get_send_job(GetSendJobRequest { job_id })).await
}

/// Number of Bob's entries that match criteria.
async fn found_by(test: &TestService, criteria: v1::SearchCriteria) -> usize {
    let request = v1::GetMessagesPageRequest {
        context: Some(v1::PageContext {
            search_criteria: Some(criteria),
            ..Default::default()
        }),
    };
    let page = ok(test.user("bob").get_messages_page(request)).await;
    page.results.expect("a page").items.len()
}

async fn a_segment_message_reaches_all_recipients_and_the_job_counts_them(test: &TestService) {
    send(test, "alice", &["bob"]).await;
    let pieces = vec![says(|_| {}), to(&["bob", "carol"]), to(&["dave", "bob"])];
    let sent = ok(test.sys().send_to_profiles(stream::iter(pieces))).await;
    let accepted = SendJobCounts {
        accepted: 3,
        duplicates: 1,
        ..Default::default()
    };
    assert_eq!(sent.counts, Some(accepted));
    let running = job(test, &sent.job_id).await;
    assert_eq!(running.state(), SendJobState::Running);
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    all_steps(test).await;

    let expected = GetSendJobResponse {
        job_id: sent.job_id.clone(),
        message_id: sent.message_id.clone(),
        state: SendJobState::Done.into(),
        counts: Some(SendJobCounts {
            delivered: 3,
            ..accepted
        }),
        change: None,
    };
    assert_eq!(job(test, &sent.job_id).await, expected);
    assert_eq!(job(test, &sent.message_id).await, expected);
    let id = &sent.message_id;
    let held = entry(test, "bob", "inbox", id).await;
    let message = held.message.expect("a message");
    assert_eq!(message.kind(), v1::MessageKind::System);
    assert_eq!(
        (message.to, message.recipient_count),
        (strings(&["bob"]), 3)
    );
    assert_eq!(message.sender, Some(news()));
    assert_eq!(message.send_time, sent.send_time);
    assert_eq!(message.expire_time, sent.expire_time);
    let stored = stored(test, id).await;
    assert_eq!((stored.to.len(), stored.recipient_count), (0, 3));
    // The reader is shown as the only recipient, in searches too.
    for (profile, found) in [("bob", 2), ("carol", 0)] {
        let criteria = v1::SearchCriteria {
            to_profile_id: profile.to_owned(),
            ..Default::default()
        };
        assert_eq!(found_by(test, criteria).await, found, "to {profile}");
        let criteria = v1::SearchCriteria {
            party_profile_id: profile.to_owned(),
            ..Default::default()
        };
        assert_eq!(found_by(test, criteria).await, found, "with {profile}");
    }
    assert_eq!(mark(test, &[id], false).await, 1);
    assert_eq!(counts(test, "bob").await, (2, 1, 0));
    assert_eq!(counts(test, "carol").await, (1, 1, 0));
    assert_eq!(counts(test, "dave").await, (1, 1, 0));
}

async fn an_update_and_a_deletion_reach_all_recipients(test: &TestService) {
    let sent = sent(test, vec![says(|_| {}), to(&["bob", "carol"])]).await;
    let id = &sent.message_id;
    let update = UpdateMessageRequest {
        message_id: id.clone(),
        content: Some(text("better")),
        expected_version: Some(1),
        ..Default::default()
    };
    ok(test.sys().update_message(update)).await;
    let change = |kind, reached| SendJobChange {
        kind: i32::from(kind),
        reached,
        total: 2,
    };
    let updated = |reached| Some(change(send_job_change::Kind::Updated, reached));
    assert_eq!(job(test, id).await.change, updated(0));
    let at_once = entry(test, "bob", "inbox", id).await;
    assert_eq!(at_once.version, 1);
    let message = at_once.message.expect("a message");
    assert_eq!(
        (message.content, message.version),
        (Some(text("better")), 2)
    );
    all_steps(test).await;
    assert_eq!(job(test, id).await.change, updated(2));
    assert_eq!(entry(test, "bob", "inbox", id).await.version, 2);

    let delete = DeleteMessageRequest {
        message_id: id.clone(),
        expected_version: Some(2),
        ..Default::default()
    };
    ok(test.sys().delete_message(delete)).await;
    assert!(!is_stored(test, id).await);
    let emptied = entry(test, "bob", "inbox", id).await.message;
    let emptied = emptied.expect("a message");
    assert_eq!((emptied.content, emptied.size_bytes), (None, 0));
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    all_steps(test).await;
    assert_eq!(counts(test, "bob").await, (0, 0, 0));
    let deleted = Some(change(send_job_change::Kind::Deleted, 2));
    assert_eq!(job(test, id).await.change, deleted);
}

async fn users_can_neither_edit_nor_recall_an_app_message(test: &TestService) {
    let id = sent(test, vec![says(|_| {}), to(&["bob"])])
        .await
        .message_id;
    let edit = v1::EditMessageRequest {
        message_id: id.clone(),
        content: Some(text("mine")),
        ..Default::default()
    };
    let mut bob = test.user("bob");
    let edited = bob.edit_message(edit);
    assert_eq!(reason(edited).await, "NOT_ALLOWED_BY_POLICY");
    let recall = deletion("inbox", &[&id], v1::DeleteScope::Everyone);
    let recalled = bob.delete_messages(recall);
    assert_eq!(reason(recalled).await, "NOT_ALLOWED_BY_POLICY");
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
}

async fn a_repeated_request_is_one_job_for_any_order_of_recipients(test: &TestService) {
    let once = |words: &str| {
        let content = Some(text(words));
        says(|message| {
            message.request_id = "once".into();
            message.content = content;
        })
    };
    let first = sent(test, vec![once("a"), to(&["bob", "carol"])]).await;
    test.store.clock.advance(5_000);
    let pieces = vec![once("a"), to(&["carol"]), to(&["bob", "carol"])];
    // The first answer stays under other settings.
    let strict = with(|it: &mut AppSettings| it.max_content_bytes = Some(1));
    configure(test, strict).await;
    assert_eq!(sent(test, pieces).await, first);
    configure(test, AppSettings::default()).await;
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
    for other in [
        vec![once("a"), to(&["bob"])],
        vec![once("b"), to(&["bob", "carol"])],
    ] {
        let mut app = test.sys();
        let reused = app.send_to_profiles(stream::iter(other));
        assert_eq!(reason(reused).await, "REQUEST_ID_REUSED");
    }
    assert_eq!(counts(test, "bob").await, (1, 1, 0));
}

async fn a_broken_stream_delivers_nothing(test: &TestService) {
    let begun = stream::iter([says(|_| {}), to(&["bob"])]);
    let mut app = test.sys();
    let call = app.send_to_profiles(begun.chain(stream::pending()));
    let answered = tokio::time::timeout(Duration::from_millis(300), call).await;
    assert!(answered.is_err(), "{answered:?}");
    all_steps(test).await;
    assert_eq!(counts(test, "bob").await, (0, 0, 0));
    let pieces = vec![says(|_| {}), to(&["bob"]), to(&["carol", "no\nid"])];
    let broken = app.send_to_profiles(stream::iter(pieces));
    assert_eq!(fields(broken).await, ["recipients.profile_ids[2]"]);
    all_steps(test).await;
    assert_eq!(counts(test, "bob").await, (0, 0, 0));
}

async fn a_full_inbox_is_passed_over(test: &SmallBoxes) {
    for _ in 0..2 {
        send(test, "alice", &["bob"]).await;
    }
    let sent = sent(test, vec![says(|_| {}), to(&["bob", "carol"])]).await;
    let counted = job(test, &sent.job_id).await.counts.expect("counts");
    assert_eq!((counted.delivered, counted.full), (1, 1));
    assert_eq!(counts(test, "bob").await, (2, 2, 0));
}

async fn a_job_is_cancelled_once(test: &TestService) {
    let pieces = vec![says(|_| {}), to(&profiles(600))];
    let sent = ok(test.sys().send_to_profiles(stream::iter(pieces))).await;
    assert!(test.store.store.run_jobs().await.expect("a step"));
    let cancel = CancelSendJobRequest {
        job_id: sent.message_id.clone(),
        request_id: "once".to_owned(),
    };
    let cancelled = ok(test.sys().cancel_send_job(cancel.clone())).await;
    assert_eq!(cancelled.state(), SendJobState::Cancelled);
    assert_eq!(cancelled.job_id, sent.job_id);
    let counted = cancelled.counts.expect("counts");
    assert_eq!((counted.delivered, counted.failed), (500, 100));
    let again = ok(test.sys().cancel_send_job(cancel)).await;
    assert_eq!(again, cancelled);
    all_steps(test).await;
    assert_eq!(job(test, &sent.job_id).await.counts, Some(counted));
    assert_eq!(counts(test, "p599").await, (0, 0, 0));
}

async fn an_unknown_job_is_not_found(test: &TestService) {
    let other = test.sys_of("other", "sys.send");
    let here = sent(test, vec![says(|_| {}), to(&["bob"])]).await.job_id;
    for (mut app, job_id) in [
        (test.sys(), UNKNOWN),
        (test.sys(), "no uuid"),
        (other, &*here),
    ] {
        let job_id = job_id.to_owned();
        let get = app.get_send_job(GetSendJobRequest {
            job_id: job_id.clone(),
        });
        assert_eq!(reason(get).await, "MESSAGE_NOT_FOUND");
        let cancel = app.cancel_send_job(CancelSendJobRequest {
            job_id,
            ..Default::default()
        });
        assert_eq!(reason(cancel).await, "MESSAGE_NOT_FOUND");
    }
    let mut app = test.sys();
    let nameless = app.get_send_job(GetSendJobRequest::default());
    assert_eq!(fields(nameless).await, ["job_id"]);
    let nameless = app.cancel_send_job(with(|it: &mut CancelSendJobRequest| {
        it.request_id = "a b".into();
    }));
    assert_eq!(fields(nameless).await, ["job_id", "request_id"]);
}

async fn pieces_come_in_their_order(test: &TestService) {
    let nobody = to(&[""; 0]);
    let nothing = SendToProfilesRequest::default();
    for (pieces, field) in [
        (vec![], "message"),
        (vec![nothing.clone()], "message"),
        (vec![to(&["bob"]), says(|_| {})], "message"),
        (vec![says(|_| {})], "recipients"),
        (vec![says(|_| {}), says(|_| {})], "recipients"),
        (vec![says(|_| {}), to(&["bob"]), nothing], "recipients"),
        (vec![says(|_| {}), nobody], "recipients.profile_ids"),
    ] {
        let mut app = test.sys();
        let call = app.send_to_profiles(stream::iter(pieces));
        assert_eq!(fields(call).await, [field]);
    }
    assert_eq!(counts(test, "bob").await, (0, 0, 0));
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let mut app = test.sys();
    let wrong = says(|message| {
        *message = SegmentMessage {
            sender: Some(v1::Sender {
                profile_id: "alice".to_owned(),
                ..Default::default()
            }),
            request_id: "a b".to_owned(),
            expire_after: Some(Lifetime::default()),
            ..Default::default()
        };
    });
    let call = app.send_to_profiles(stream::iter([wrong]));
    assert_eq!(
        fields(call).await,
        [
            "message.content",
            "message.expire_after",
            "message.sender.profile_id",
            "message.sender.name",
            "message.request_id",
        ]
    );
    let large = says(|message| message.content = Some(json("x".repeat(40_000).into())));
    let call = app.send_to_profiles(stream::iter([large, to(&["bob"])]));
    let status = refused(call).await;
    assert_eq!(reason_of(&status), "MESSAGE_TOO_LARGE");
    let wrapped = content(v1::content::Body::Sealed(sealed()));
    let for_bob = says(|message| message.content = Some(wrapped));
    let call = app.send_to_profiles(stream::iter([for_bob, to(&["bob"])]));
    assert_eq!(reason(call).await, "CONTENT_INVALID");
}

on_each_database![
    a_segment_message_reaches_all_recipients_and_the_job_counts_them,
    an_update_and_a_deletion_reach_all_recipients,
    users_can_neither_edit_nor_recall_an_app_message,
    a_repeated_request_is_one_job_for_any_order_of_recipients,
    a_broken_stream_delivers_nothing,
    a_full_inbox_is_passed_over,
    a_job_is_cancelled_once,
    an_unknown_job_is_not_found,
    pieces_come_in_their_order,
    all_violations_are_reported_at_once,
];
