//! Lists of erasures outside of the database, and their repetition after a restore.

use domain::operation::{DeleteMailbox, SendBulk};
use domain::{ErasureKey, ProfileId};
use storage::{AuditFilter, ErasureList, ErasurePart, ListedErasure, RepeatedErasures};

use super::super::builders::open;
use super::*;

on_each_database![
    a_list_has_the_erasures_of_all_apps_once,
    a_restored_profile_is_erased_again_by_a_list,
    a_profile_that_only_one_table_names_is_erased_again,
    each_repeated_erasure_has_an_audit_record,
];

/// Name of the command in the audit log.
const COMMAND: &str = "repeat";

/// The list of a profile's erasure.
fn listed(name: &str, fixture: &StoreFixture) -> ListedErasure {
    ListedErasure {
        app: app(),
        key: ErasureKey::of(&profile(name)),
        requested: fixture.clock().now_ms(),
    }
}

/// Number of erasures that a list begins, over all rows.
async fn begun(fixture: &StoreFixture, erasures: &[ListedErasure]) -> u64 {
    let mut list = ErasureList::default();
    list.extend(erasures.iter().cloned());
    let call = Arc::new(AuditedCall {
        method: COMMAND,
        ..call("operator")
    });
    let mut all = RepeatedErasures::default();
    for app in list.apps() {
        loop {
            let part = fixture
                .store
                .repeat_erasures(app, &list, &call, all.next)
                .await;
            let part = part.expect("a part");
            all.begun += part.begun;
            all.next = part.next;
            if all.next.is_none() {
                break;
            }
        }
    }
    all.begun
}

async fn a_list_has_the_erasures_of_all_apps_once(fixture: &StoreFixture) {
    let apps = [app(), other_app("other")];
    let profiles: Vec<_> = (0..510).map(|it| profile(&format!("p{it}"))).collect();
    let mut expected = Vec::new();
    for app in &apps {
        let erase = |profile_id: &ProfileId| {
            let profile_id = profile_id.clone();
            (app.clone(), operation(EraseProfile { profile_id }.into()))
        };
        let erased = fixture.store.batch(profiles.iter().map(erase).collect());
        assert!(erased.await.iter().all(Result::is_ok));
        let keys = profiles.iter().map(ErasureKey::of);
        expected.extend(keys.map(|key| (app.clone(), key)));
    }
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let part = fixture.store.list_erasures(after).await.expect("a part");
        let erasures = part.erasures.into_iter();
        listed.extend(erasures.map(|erasure| (erasure.app, erasure.key)));
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    expected.sort();
    listed.sort();
    assert!(listed == expected, "{} listed", listed.len());
}

async fn a_restored_profile_is_erased_again_by_a_list(fixture: &StoreFixture) {
    let other = other_app("other");
    let theirs = fixture.execute(&other, operation(send("eve", &["bob"])));
    sent(theirs.await);
    fixture.send("eve", &["bob"]).await;
    erase(fixture, "eve").await;
    let part = fixture.store.list_erasures(None).await.expect("a part");
    assert_eq!(part.erasures, [listed("eve", fixture)]);
    let rest = fixture.store.list_erasures(part.next).await;
    assert_eq!(rest.expect("a part"), ErasurePart::default());
    assert_eq!(begun(fixture, &part.erasures).await, 0);

    // As a backup from before the erasure has it.
    fixture.raw().await.run("DELETE FROM erasure").await;
    fixture.clock().advance(1);
    assert_eq!(begun(fixture, &[]).await, 0);
    assert_eq!(begun(fixture, &part.erasures).await, 1);
    assert_eq!(begun(fixture, &part.erasures).await, 0);
    // A later request is another one.
    let later = [listed("eve", fixture)];
    fixture.clock().advance(1);
    assert_eq!(begun(fixture, &later).await, 0);
    let later = [listed("eve", fixture)];
    assert_eq!(begun(fixture, &later).await, 1);
    erased(fixture, &fixture.store).await;
    assert_eq!(fixture.counts("bob").await, (0, 0, 0));
    assert_eq!(fixture.counts_in(&other, "bob").await, (1, 1, 0));
    let unknown = ListedErasure {
        app: other_app("unknown"),
        ..later[0].clone()
    };
    assert_eq!(begun(fixture, &[unknown]).await, 0);
}

/// Rows in each table that are more than are looked at together.
async fn fill(fixture: &StoreFixture) {
    let many = || (0..510).map(|number| format!("k{number:03}"));
    fixture.batch(many().map(|name| open(&name))).await;
    fixture.batch(many().map(|name| block("cid", &name))).await;
    let revoke = |name: String| {
        let profile_id = profile(&name);
        Action::from(RevokeTokens {
            profile_id,
            before: None,
        })
    };
    fixture.batch(many().map(revoke)).await;
    for _ in 0..110 {
        let notice = operation(announce(&["bob"]));
        let sent = fixture
            .store
            .execute(&app(), notice, audited("operator"))
            .await;
        sent.expect("a message");
    }
}

/// Profiles that one table names each, behind other rows of it.
async fn named_once(fixture: &StoreFixture) -> [&'static str; 7] {
    fixture.done(open("z-mailbox")).await;
    fixture.done(block("cid", "z-block")).await;
    let revocation = RevokeTokens {
        profile_id: profile("z-revocation"),
        before: None,
    };
    fixture.done(revocation.into()).await;
    let mut segment: Vec<_> = (0..10_400)
        .map(|it| profile(&format!("s{it:05}")))
        .collect();
    segment.push(profile("z-segment"));
    let segment = take_in(&fixture.store, &app(), segment).await;
    launched(fixture.act(launch(&segment, None)).await);
    fixture.done(send("bob", &["z-recipient"])).await;
    fixture.done(clear("z-recipient", Msgbox::Inbox)).await;
    let owner = profile("z-recipient");
    fixture.done(DeleteMailbox { owner }.into()).await;
    let sender = Sender {
        profile_id: Some(profile("z-sender")),
        ..Sender::default()
    };
    let to_all = SendBulk {
        draft: Draft::new(sender, text("to all")),
        audience: Audience::Existing,
    };
    fixture.done(to_all.into()).await;
    let notice = operation(announce(&["bob"]));
    let sent = fixture
        .store
        .execute(&app(), notice, audited("z-subject"))
        .await;
    sent.expect("a message");
    let mailboxes = "SELECT count(*) FROM mailbox WHERE profile_id LIKE 'z-%'";
    assert_eq!(fixture.raw().await.number(mailboxes).await, 1);
    [
        "z-mailbox",
        "z-block",
        "z-revocation",
        "z-segment",
        "z-recipient",
        "z-sender",
        "z-subject",
    ]
}

async fn a_profile_that_only_one_table_names_is_erased_again(fixture: &StoreFixture) {
    fill(fixture).await;
    let named = named_once(fixture).await;
    let mut erasures = named.map(|name| listed(name, fixture)).to_vec();
    erasures.push(listed("z-nobody", fixture));
    for name in named {
        assert_eq!(report(fixture, name).await, None, "{name}");
    }
    assert_eq!(begun(fixture, &erasures).await, 7);
    for name in named {
        assert!(report(fixture, name).await.is_some(), "{name}");
    }
    assert_eq!(report(fixture, "z-nobody").await, None);
    assert_eq!(begun(fixture, &erasures).await, 0);
}

async fn each_repeated_erasure_has_an_audit_record(fixture: &StoreFixture) {
    for name in ["eve", "mal"] {
        fixture.send(name, &["bob"]).await;
    }
    let erasures = ["eve", "mal", "zoe"].map(|name| listed(name, fixture));
    assert_eq!(begun(fixture, &erasures).await, 2);
    fixture.clock().advance(JOB_HELD_MS);
    all_steps(&fixture.store).await;
    let filter = AuditFilter {
        method: Some(COMMAND.to_owned()),
        ..AuditFilter::default()
    };
    let page = fixture.store.audit_page(&app(), &filter, None, 10).await;
    let entries = page.expect("a page").entries;
    let ids = entries.iter().flat_map(|entry| entry.ids.kept().cloned());
    let mut ids: Vec<String> = ids.map(|id| id.to_string()).collect();
    ids.sort();
    assert_eq!(ids, ["eve", "mal", "operator", "operator"]);
}
