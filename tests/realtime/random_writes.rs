//! Random writes, and readers that are cut after any frame.
//!
//! `POSTROOM_CUTS_SEED` chooses another run than the usual one.

use std::collections::{BTreeMap, BTreeSet};
use std::env;

use proto::v1;
use proto::v1::event::Frame;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use support::boxes;
use support::service::TestService;
use support::{coverage, on_each_database};

use super::subscriber::{StreamSubscriber, frame};
use crate::api::builders::{announce, deletion, message, named, ok, send, text};
use proto::sys::v1 as sys;

const SEED: u64 = 20_260_102;
const SEED_VARIABLE: &str = "POSTROOM_CUTS_SEED";
/// Writes before the readers start, and as many while they read.
const WRITES: u32 = 80;
/// Maximum number of frames before a stream is cut.
const FRAMES_MAX: u32 = 6;
const OWNERS: [&str; 3] = ["alice", "bob", "carol"];
const BOXES: [&str; 2] = ["inbox", "sent"];

fn dice() -> StdRng {
    let seed = env::var(SEED_VARIABLE).ok();
    let seed = seed.map_or(SEED, |text| text.parse().expect("a seed"));
    coverage::print_once(&format!("cuts: seed {seed}"));
    StdRng::seed_from_u64(seed)
}

fn one_of<'a, T>(dice: &mut StdRng, all: &'a [T]) -> &'a T {
    &all[dice.random_range(0..all.len())]
}

/// Random writers: known messages, and the number of successful writes by kind.
struct RandomWriters {
    dice: StdRng,
    known: Vec<String>,
    done: BTreeMap<&'static str, u32>,
}

impl RandomWriters {
    async fn write(&mut self, test: &TestService, count: u32) {
        for _ in 0..count {
            let (what, is_done) = self.step(test).await;
            *self.done.entry(what).or_default() += u32::from(is_done);
        }
    }

    /// Attempts one random write; returns its kind, and true if it succeeded.
    async fn step(&mut self, test: &TestService) -> (&'static str, bool) {
        let who = *one_of(&mut self.dice, &OWNERS);
        let to = *one_of(&mut self.dice, &OWNERS);
        let dice = self.dice.random_range(0..100);
        if self.known.is_empty() || dice < 40 {
            let id = match dice % 4 {
                0 => announce(test, &OWNERS).await,
                _ => send(test, who, &[to]).await,
            };
            self.known.push(id);
            return ("send", true);
        }
        let id = one_of(&mut self.dice, &self.known).clone();
        let msgbox = *one_of(&mut self.dice, &BOXES);
        let mut user = test.user(who);
        match dice {
            40..60 => {
                let request = v1::MarkMessagesReadRequest {
                    msgbox: "inbox".to_owned(),
                    message_ids: vec![id],
                    unread: dice >= 52,
                    ..Default::default()
                };
                let what = if request.unread { "unmark" } else { "mark" };
                (what, user.mark_messages_read(request).await.is_ok())
            }
            60..70 => {
                let request = deletion(msgbox, &[id], v1::DeleteScope::OwnCopy);
                ("delete", user.delete_messages(request).await.is_ok())
            }
            70..78 => {
                let request = deletion("sent", &[id], v1::DeleteScope::Everyone);
                ("recall", user.delete_messages(request).await.is_ok())
            }
            78..80 => {
                let request = v1::ClearMessagesRequest {
                    msgbox: msgbox.to_owned(),
                    ..Default::default()
                };
                ("clear", user.clear_messages(request).await.is_ok())
            }
            80..90 => {
                let request = v1::EditMessageRequest {
                    message_id: id,
                    content: Some(text(&format!("edited {dice}"))),
                    ..Default::default()
                };
                ("edit", user.edit_message(request).await.is_ok())
            }
            90..96 => {
                let request = sys::UpdateMessageRequest {
                    message_id: id,
                    content: Some(text(&format!("updated {dice}"))),
                    ..Default::default()
                };
                ("update", test.sys().update_message(request).await.is_ok())
            }
            _ => {
                let request = sys::DeleteMessageRequest {
                    message_id: id,
                    ..Default::default()
                };
                ("remove", test.sys().delete_message(request).await.is_ok())
            }
        }
    }
}

type ShownEntryKey = (String, String);

/// Entries and cursors that a reader has seen.
#[derive(Default)]
struct CutReader {
    /// The entries that are there, and when each was shown last.
    entries: BTreeMap<ShownEntryKey, (u32, v1::MsgboxEntry)>,
    cursors: BTreeSet<String>,
    changes: u32,
    cuts: u32,
}

impl CutReader {
    /// Follows, cut now and then, until the message with this text is there.
    async fn read(
        &mut self,
        test: &TestService,
        who: &str,
        from: &str,
        dice: &mut StdRng,
        end: &str,
    ) {
        let mut cursor = from.to_owned();
        loop {
            let mut stream = StreamSubscriber::of(test.user(who), &cursor).await;
            for _ in 0..dice.random_range(1..=FRAMES_MAX) {
                let event = stream.next().await;
                self.see(&event);
                let is_end = matches!(frame(&event), Frame::MessageReceived(entry)
                    if format!("{:?}", entry.message).contains(end));
                if is_end {
                    return;
                }
            }
            self.cuts += 1;
            cursor = stream.cursor;
        }
    }

    fn see(&mut self, event: &v1::Event) {
        match frame(event) {
            Frame::MessageReceived(entry) => self.put(entry, true),
            Frame::MessageUpdated(entry) => self.put(entry, false),
            Frame::MessageDeleted(gone) => {
                // It may have come and gone since the cursor.
                let key = (gone.msgbox.clone(), gone.message_id.clone());
                self.entries.remove(&key);
            }
            Frame::Resync(_) | Frame::Reconnect(_) => panic!("{event:?}"),
            Frame::Counts(_) | Frame::CaughtUp(_) | Frame::Heartbeat(_) => return,
        }
        assert!(self.cursors.insert(event.cursor.clone()), "{event:?}");
        self.changes += 1;
    }

    fn put(&mut self, entry: &v1::MsgboxEntry, is_new: bool) {
        let entry = without_delivery(entry);
        let key = (entry.msgbox.clone(), entry.message_id.clone());
        let before = self.entries.insert(key, (self.changes, entry.clone()));
        // It may be new twice if it changed while a backlog was read in parts.
        assert!(before.is_some() || is_new, "{entry:?}");
        if let Some((_, before)) = before {
            assert!(before.version < entry.version, "{before:?}, {entry:?}");
        }
    }

    /// The entries, in the order in which they changed last.
    fn in_order(&self) -> Vec<&v1::MsgboxEntry> {
        let mut entries: Vec<_> = self.entries.values().collect();
        entries.sort_by_key(|(number, _)| *number);
        entries.into_iter().map(|(_, entry)| entry).collect()
    }
}

/// An entry without its delivery time: streaming marks entries as delivered, without an event.
fn without_delivery(entry: &v1::MsgboxEntry) -> v1::MsgboxEntry {
    v1::MsgboxEntry {
        delivered_time: None,
        ..entry.clone()
    }
}

/// Asserts that the boxes equal the entries that the reader has seen.
async fn compare_with_boxes(test: &TestService, who: &str, reader: &CutReader) {
    let counts = ok(test
        .user(who)
        .get_message_counts(v1::GetMessageCountsRequest {}))
    .await
    .boxes;
    for msgbox in BOXES {
        let shown = reader
            .entries
            .iter()
            .filter(|((name, _), _)| name == msgbox);
        let shown: BTreeMap<_, _> = shown
            .map(|((_, id), (_, entry))| (id.clone(), entry.clone()))
            .collect();
        let total = boxes::named(&counts, msgbox).total as usize;
        assert_eq!(total, shown.len(), "{who} {msgbox}");
        if shown.is_empty() {
            continue;
        }
        let ids: Vec<_> = shown.keys().collect();
        let request = named(msgbox, &ids);
        let stored = ok(test.user(who).get_messages(request)).await.items;
        let stored: BTreeMap<_, _> = stored
            .iter()
            .map(|entry| (entry.message_id.clone(), without_delivery(entry)))
            .collect();
        assert_eq!(shown, stored, "{who} {msgbox}");
    }
}

async fn readers_cut_at_random_see_every_change_once_and_in_order(test: &TestService) {
    let mut dice = dice();
    let mut writers = RandomWriters {
        dice: StdRng::seed_from_u64(dice.random()),
        known: Vec::new(),
        done: BTreeMap::new(),
    };
    let empty = ok(test
        .user("bob")
        .get_message_counts(v1::GetMessageCountsRequest {}))
    .await
    .cursor;
    writers.write(test, WRITES).await;
    let [mut early, mut late] = [CutReader::default(), CutReader::default()];
    let mut other_dice = StdRng::seed_from_u64(dice.random());
    // They begin in the middle of a backlog, and the writers go on.
    let writing = async {
        writers.write(test, WRITES).await;
        let last = message(&["bob"], text("the end"));
        ok(test.user("alice").send_message(last)).await;
    };
    tokio::join!(
        writing,
        early.read(test, "bob", &empty, &mut dice, "the end"),
        late.read(test, "bob", "0", &mut other_dice, "the end"),
    );
    assert!(early.cuts > 1 && late.cuts > 1);
    for what in [
        "send", "mark", "unmark", "delete", "recall", "clear", "edit", "update", "remove",
    ] {
        assert!(writers.done.get(what) > Some(&0), "{:?}", writers.done);
    }
    // Who reads all of it now, in one go, is shown the same in the same order.
    let mut replay = CutReader::default();
    let mut stream = StreamSubscriber::of(test.user("bob"), "0").await;
    loop {
        let event = stream.next().await;
        if matches!(frame(&event), Frame::CaughtUp(_)) {
            break;
        }
        replay.see(&event);
    }
    for reader in [&early, &late, &replay] {
        assert_eq!(reader.in_order(), replay.in_order());
        compare_with_boxes(test, "bob", reader).await;
    }
    coverage::print_once(&format!(
        "cut at random: {} and {} changes, {} and {} cuts, {:?}",
        early.changes, late.changes, early.cuts, late.cuts, writers.done
    ));
}

on_each_database![readers_cut_at_random_see_every_change_once_and_in_order];
