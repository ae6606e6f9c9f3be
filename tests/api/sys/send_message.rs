use prost_types::Duration;
use proto::sys::v1::{AppSettings, SendMessageRequest};
use proto::v1::{MessageKind, Notification, Sender};
use support::clock::START;
use support::on_each_database;
use support::service::TestService;

use crate::api::builders::{
    SmallBoxes, announce, configure, counts, entry, fields, news, notice, ok, profiles, reason,
    stored, text,
};

fn from(profile_id: &str, name: &str, pic: &str) -> SendMessageRequest {
    SendMessageRequest {
        sender: Some(Sender {
            profile_id: profile_id.to_owned(),
            name: name.to_owned(),
            pic: pic.to_owned(),
        }),
        ..notice(&["bob"], text("news"))
    }
}

async fn a_notice_arrives_and_leaves_no_sent_entry(test: &TestService) {
    let mut app = test.sys();
    let sent = ok(app.send_message(notice(&["bob", "carol", "bob"], text("news")))).await;
    assert_eq!((sent.requested, sent.actual), (2, 2));
    for who in ["bob", "carol"] {
        assert_eq!(counts(test, who).await, (1, 1, 0));
        let entry = entry(test, who, "inbox", &sent.message_id).await;
        let message = entry.message.expect("a message");
        assert_eq!(message.kind(), MessageKind::System);
        assert_eq!(message.sender, Some(news()));
        assert_eq!(message.to, ["bob", "carol"]);
        assert_eq!(message.send_time, sent.send_time);
        assert_eq!(message.expire_time, sent.expire_time);
    }
}

async fn from_is_a_name_and_perhaps_a_picture(test: &TestService) {
    let mut app = test.sys();
    let (name, pic) = ("n".repeat(128), format!("https://{}", "p".repeat(504)));
    let sent = ok(app.send_message(from("", &name, &pic))).await;
    let shown = stored(test, &sent.message_id)
        .await
        .sender
        .expect("a sender");
    assert_eq!(
        (shown.profile_id, shown.name, shown.pic),
        (String::new(), name, pic)
    );

    for (request, told, field) in [
        (
            from("bob", "News", ""),
            "SENDER_ID_MUST_BE_EMPTY",
            "sender.profile_id",
        ),
        (from("", "", ""), "SENDER_NAME_REQUIRED", "sender.name"),
        (
            SendMessageRequest {
                sender: None,
                ..from("", "", "")
            },
            "SENDER_NAME_REQUIRED",
            "sender.name",
        ),
        (
            from("", &"n".repeat(129), ""),
            "INVALID_REQUEST",
            "sender.name",
        ),
        (
            from("", &"é".repeat(65), ""),
            "INVALID_REQUEST",
            "sender.name",
        ),
        (from("", "a\0", ""), "INVALID_REQUEST", "sender.name"),
        (
            from("", "News", &"p".repeat(513)),
            "INVALID_REQUEST",
            "sender.pic",
        ),
    ] {
        assert_eq!(fields(app.send_message(request.clone())).await, [field]);
        assert_eq!(reason(app.send_message(request)).await, told);
    }
}

async fn a_notice_has_up_to_500_recipients_under_any_policy(test: &TestService) {
    let settings = AppSettings {
        max_recipients: Some(1),
        ..Default::default()
    };
    configure(test, settings).await;
    let mut app = test.sys();
    let sent = ok(app.send_message(notice(&profiles(500), text("news")))).await;
    assert_eq!((sent.requested, sent.actual), (500, 500));
    for too_many in [profiles(501), vec!["bob".to_owned(); 501]] {
        let refused = reason(app.send_message(notice(&too_many, text("news")))).await;
        assert_eq!(refused, "MAX_RECIPIENTS_EXCEEDED");
    }
}

async fn a_full_inbox_is_passed_over(test: &SmallBoxes) {
    announce(test, &["bob"]).await;
    announce(test, &["bob"]).await;
    let mut app = test.sys();
    let sent = ok(app.send_message(notice(&["bob", "carol"], text("news")))).await;
    assert_eq!((sent.requested, sent.actual), (2, 1));
    let refused = reason(app.send_message(notice(&["bob"], text("news")))).await;
    assert_eq!(refused, "MSGBOX_FULL");
    assert_eq!(counts(test, "bob").await, (2, 2, 0));
}

async fn a_notice_may_have_a_lifetime_of_its_own(test: &TestService) {
    let request = SendMessageRequest {
        expire_after: Some(Duration {
            seconds: 2,
            nanos: 0,
        }),
        ..notice(&["bob"], text("news"))
    };
    let sent = ok(test.sys().send_message(request)).await;
    let end = sent.expire_time.expect("an end");
    assert_eq!((end.seconds, end.nanos), (START.0 / 1000 + 2, 0));
}

async fn all_violations_are_reported_at_once(test: &TestService) {
    let request = SendMessageRequest {
        to: vec![String::new()],
        content: None,
        sender: None,
        request_id: "a b".to_owned(),
        expire_after: Some(Duration::default()),
        notification: Some(Notification {
            title: "x".repeat(129),
            ..Default::default()
        }),
    };
    let mut found = fields(test.sys().send_message(request)).await;
    found.sort();
    let mut expected = [
        "to[0]",
        "content",
        "sender.name",
        "request_id",
        "expire_after",
        "notification.title",
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

on_each_database![
    a_notice_arrives_and_leaves_no_sent_entry,
    from_is_a_name_and_perhaps_a_picture,
    a_notice_has_up_to_500_recipients_under_any_policy,
    a_full_inbox_is_passed_over,
    a_notice_may_have_a_lifetime_of_its_own,
    all_violations_are_reported_at_once,
];
