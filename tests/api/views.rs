//! Views of each kind of content, in all six methods that show messages.

use proto::sys::v1 as sys;
use proto::v1;
use proto::v1::MessageView::{self, Full, Metadata, Preview, Unspecified};
use proto::v1::content::Body;
use serde_json::json;
use support::on_each_database;
use support::service::TestService;

use super::builders::{
    content, entry, fields, json, message, named, ok, parts, sealed, stored, strings,
};

fn entries(page: Option<v1::MessagesPage>) -> Vec<v1::Message> {
    let items = page.expect("a page").items.into_iter();
    items.filter_map(|entry| entry.message).collect()
}

/// Bob's only message, as every method shows it in that view.
async fn shown(test: &TestService, id: &str, view: MessageView) -> v1::Message {
    let (mut bob, mut app) = (test.user("bob"), test.sys());
    let view = view.into();
    let of_entries = Some(v1::PageContext {
        view,
        ..Default::default()
    });
    let of_messages = Some(sys::RepositoryPageContext {
        view,
        ..Default::default()
    });
    let owner_profile_id = "bob".to_owned();

    let request = v1::GetMessagesRequest {
        view,
        ..named("inbox", &[id])
    };
    let got = ok(bob.get_messages(request)).await;
    let mut all = entries(Some(v1::MessagesPage {
        items: got.items,
        ..Default::default()
    }));
    let request = sys::GetMessagesRequest {
        message_ids: strings(&[id]),
        view,
    };
    all.extend(ok(app.get_messages(request)).await.items);

    let request = v1::GetMessagesPageRequest {
        context: of_entries.clone(),
    };
    let page = ok(bob.get_messages_page(request)).await;
    all.extend(entries(page.results));
    let request = v1::GetMessagesPageOffsetRequest {
        context: page.context,
        page_offset: 0,
    };
    all.extend(entries(
        ok(bob.get_messages_page_offset(request)).await.results,
    ));

    let request = sys::GetMessagesForOwnerPageRequest {
        owner_profile_id,
        context: of_entries,
    };
    let page = ok(app.get_messages_for_owner_page(request)).await;
    all.extend(entries(page.results));
    let request = sys::GetMessagesPageRequest {
        context: of_messages,
    };
    let page = ok(app.get_messages_page(request)).await;
    let items = page.results.expect("a page").items.into_iter();
    all.extend(items.filter(|message| message.message_id == id));

    assert_eq!(all.len(), 6);
    assert!(all.iter().all(|other| *other == all[0]), "{all:#?}");
    all.remove(0)
}

/// Every view of a content shows what it should, and all else of the message.
async fn assert_views(
    test: &TestService,
    full: v1::Content,
    preview: Option<v1::Content>,
    metadata: Option<v1::Content>,
) {
    let request = message(&["bob"], full.clone());
    let id = ok(test.user("alice").send_message(request))
        .await
        .message_id;
    let stored = stored(test, &id).await;
    let size = prost::Message::encoded_len(&full);
    assert_eq!(stored.size_bytes as usize, size);
    for (view, content) in [
        (Unspecified, Some(full.clone())),
        (Full, Some(full)),
        (Preview, preview),
        (Metadata, metadata),
    ] {
        let expected = v1::Message {
            content,
            ..stored.clone()
        };
        assert_eq!(shown(test, &id, view).await, expected, "{view:?}");
    }
    assert_eq!(entry(test, "bob", "inbox", &id).await.version, 1);
    let clear = v1::ClearMessagesRequest {
        msgbox: "inbox".to_owned(),
        ..Default::default()
    };
    ok(test.user("bob").clear_messages(clear)).await;
}

async fn a_preview_has_thirty_characters_of_three_strings_of_an_object(test: &TestService) {
    let object = json!({
        "subject": "ä€😀".repeat(10) + "x",
        "text": "x".repeat(30),
        "content": "",
        "title": "not shown",
        "more": { "text": "not shown" },
    });
    let preview = json!({
        "subject": "ä€😀".repeat(10),
        "text": "x".repeat(30),
        "content": "",
    });
    assert_views(test, json(object), Some(json(preview)), None).await;
    let others = json!({ "subject": 1, "text": ["x"], "content": null });
    assert_views(test, json(others), Some(json(json!({}))), None).await;
}

async fn a_preview_has_thirty_characters_of_a_json_string_and_no_other_value(test: &TestService) {
    let long = json(json!("ä".repeat(31)));
    assert_views(test, long, Some(json(json!("ä".repeat(30)))), None).await;
    for other in [json!(null), json!(true), json!(1.5), json!(["text"])] {
        assert_views(test, json(other), None, None).await;
    }
}

async fn parts_lose_their_bodies_and_keep_their_types(test: &TestService) {
    let full = parts(&[("text/plain", b"hello"), ("image/png", b"png")]);
    let bare = Some(parts(&[("text/plain", b""), ("image/png", b"")]));
    assert_views(test, full, bare.clone(), bare).await;
}

async fn a_sealed_content_keeps_its_headers_in_a_preview(test: &TestService) {
    let preview = v1::SealedContent {
        payload: vec![].into(),
        ..sealed()
    };
    let full = content(Body::Sealed(sealed()));
    assert_views(
        test,
        full.clone(),
        Some(content(Body::Sealed(preview))),
        None,
    )
    .await;
    let id = ok(test.user("alice").send_message(message(&["bob"], full)))
        .await
        .message_id;
    assert_eq!(shown(test, &id, Metadata).await.headers_size_bytes, 7);
}

async fn a_view_that_is_not_known_is_refused(test: &TestService) {
    let (mut bob, mut app) = (test.user("bob"), test.sys());
    let view = 4;
    let context = Some(v1::PageContext {
        view,
        ..Default::default()
    });
    let request = v1::GetMessagesPageRequest {
        context: context.clone(),
    };
    assert_eq!(
        fields(bob.get_messages_page(request)).await,
        ["context.view"]
    );
    let request = sys::GetMessagesForOwnerPageRequest {
        owner_profile_id: "bob".to_owned(),
        context,
    };
    assert_eq!(
        fields(app.get_messages_for_owner_page(request)).await,
        ["context.view"]
    );
    let request = sys::GetMessagesPageRequest {
        context: Some(sys::RepositoryPageContext {
            view,
            ..Default::default()
        }),
    };
    assert_eq!(
        fields(app.get_messages_page(request)).await,
        ["context.view"]
    );
    let request = sys::GetMessagesRequest {
        message_ids: strings(&["x"]),
        view,
    };
    assert_eq!(fields(app.get_messages(request)).await, ["view"]);
}

on_each_database![
    a_preview_has_thirty_characters_of_three_strings_of_an_object,
    a_preview_has_thirty_characters_of_a_json_string_and_no_other_value,
    parts_lose_their_bodies_and_keep_their_types,
    a_sealed_content_keeps_its_headers_in_a_preview,
    a_view_that_is_not_known_is_refused,
];
