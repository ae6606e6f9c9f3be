//! A client that follows the rule of the feed, at random.

use std::collections::BTreeMap;

use domain::{AppId, ProfileId};
use proto::v1;
use proto::v1::event::Frame;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use support::service::{InProcessUser, TestService};

use super::copy::MailboxCopy;
use super::pages::{PageWalk, any_page};
use crate::api::builders::ok;
use crate::realtime::subscriber::StreamSubscriber;

/// Kinds of steps and frames that a run must contain.
pub const DONE: [&str; 9] = [
    "page",
    "any page",
    "poll",
    "lost answer",
    "cut poll",
    "stream",
    "cut stream",
    "deletion",
    "resync",
];

/// Frames that a client takes from a stream before it does something else, at the most.
const FRAMES_MAX: u32 = 8;

/// Number of steps and frames by kind.
pub type StepTally = BTreeMap<&'static str, u64>;

/// Progress of a client that reads everything.
enum SyncProgress {
    /// Pages, of which these walks are left.
    Pages(Vec<PageWalk>),
    /// The feed from its beginning.
    Replay,
    /// Everything was read.
    Done,
}

pub struct SyncedClient {
    app: AppId,
    owner: ProfileId,
    dice: StdRng,
    copy: MailboxCopy,
    reading: SyncProgress,
    /// Position to follow from; none before the first page was read.
    cursor: Option<String>,
    stream: Option<ClientStream>,
    pub tally: StepTally,
    /// Steps since the last comparison, for the message of a failure.
    steps: Vec<String>,
}

struct ClientStream {
    frames: StreamSubscriber,
    has_caught_up: bool,
}

impl SyncedClient {
    /// A client with an empty copy.
    pub fn new(app: AppId, owner: ProfileId, seed: u64) -> Self {
        let mut client = Self {
            app,
            owner,
            dice: StdRng::seed_from_u64(seed),
            copy: MailboxCopy::default(),
            reading: SyncProgress::Done,
            cursor: None,
            stream: None,
            tally: StepTally::new(),
            steps: Vec::new(),
        };
        client.start_over();
        client
    }

    fn user(&self, test: &TestService) -> InProcessUser {
        test.user_of(self.app.as_str(), self.owner.as_str())
    }

    fn one_in(&mut self, chances: u32) -> bool {
        self.dice.random_ratio(1, chances)
    }

    fn note(&mut self, what: &'static str, details: &str) {
        *self.tally.entry(what).or_default() += 1;
        self.steps.push(format!("{what} {details}"));
    }

    /// Does one random step.
    pub async fn step(&mut self, test: &TestService) {
        match self.dice.random_range(1..=20) {
            1 => self.start_over(),
            2..=5 => self.read_any_page(test).await,
            6..=10 => self.read_page(test).await,
            11..=15 => self.poll(test).await,
            _ => {
                let frames = self.dice.random_range(1..=FRAMES_MAX);
                self.read_stream(test, frames).await;
            }
        }
    }

    /// Begins to read everything again; the copy stays until that has ended.
    fn start_over(&mut self) {
        self.note("start", "");
        self.stream = None;
        self.cursor = None;
        self.read_again();
        if self.one_in(3) {
            self.cursor = Some("0".to_owned());
            self.reading = SyncProgress::Replay;
        }
    }

    fn read_again(&mut self) {
        self.copy.begin();
        self.reading = SyncProgress::Pages(PageWalk::over_everything(&mut self.dice));
    }

    /// Ends the reading of everything.
    fn end_reading(&mut self) {
        self.copy.end();
        self.reading = SyncProgress::Done;
    }

    /// Reads the next page, if the client reads pages.
    async fn read_page(&mut self, test: &TestService) {
        let mut user = self.user(test);
        let SyncProgress::Pages(walks) = &mut self.reading else {
            return;
        };
        if let Some(walk) = walks.first_mut() {
            let page = walk.next(&mut user, &mut self.dice).await;
            walks.retain(|walk| !walk.has_ended());
            let has_ended = walks.is_empty();
            if let Some(page) = page {
                self.put("page", page);
            }
            if has_ended {
                self.end_reading();
            }
        }
    }

    async fn read_any_page(&mut self, test: &TestService) {
        let page = any_page(&mut self.user(test), &mut self.dice).await;
        self.put("any page", page);
    }

    fn put(&mut self, what: &'static str, page: v1::MessagesPage) {
        let ids: Vec<_> = page.items.iter().map(|item| &item.message_id).collect();
        self.note(what, &format!("{ids:?}"));
        self.cursor.get_or_insert(page.cursor);
        for entry in page.items {
            match self.reading {
                SyncProgress::Pages(_) => self.copy.mention(entry),
                // A replay that begins later is complete, and does not mention what went before.
                SyncProgress::Replay | SyncProgress::Done => self.copy.put(entry),
            }
        }
    }

    /// Polls once; the answer may get lost, or the client may stop in the middle of it.
    async fn poll(&mut self, test: &TestService) {
        self.stream = None;
        let Some(cursor) = self.cursor.clone() else {
            return;
        };
        let limit = *[0, 1, 2, 3].choose(&mut self.dice).expect("a limit");
        let answer = changes(&mut self.user(test), &cursor, limit).await;
        if self.one_in(10) {
            self.note("lost answer", "");
            return;
        }
        self.note("poll", &format!("{limit}"));
        let is_cut = self.one_in(5);
        let taken = self.dice.random_range(0..=answer.events.len());
        for (number, event) in answer.events.into_iter().enumerate() {
            if is_cut && number == taken {
                self.note("cut poll", "");
                return;
            }
            if self.see(event) {
                return;
            }
        }
        self.cursor = Some(answer.cursor);
        if !answer.more && matches!(self.reading, SyncProgress::Replay) {
            self.end_reading();
        }
    }

    /// Takes frames from the stream, as many or all that there are, and cuts it or leaves it open.
    async fn read_stream(&mut self, test: &TestService, frames_max: u32) {
        let Some(cursor) = self.cursor.clone() else {
            return;
        };
        let mut user = self.user(test);
        if self.stream.is_none() {
            self.note("stream", "");
            self.stream = Some(ClientStream {
                frames: StreamSubscriber::of(self.user(test), &cursor).await,
                has_caught_up: false,
            });
        }
        for _ in 0..frames_max {
            let cursor = self.cursor.clone().unwrap_or_default();
            let Some(stream) = &mut self.stream else {
                return;
            };
            if stream.has_caught_up {
                let next = changes(&mut user, &cursor, 1).await.events;
                match next.first().map(|event| &event.frame) {
                    None => break,
                    // The stream may be beyond the floor, and would not say so.
                    Some(Some(Frame::Resync(_))) => {
                        self.stream = None;
                        return;
                    }
                    Some(_) => {}
                }
            }
            let event = stream.frames.next().await;
            stream.has_caught_up |= matches!(event.frame, Some(Frame::CaughtUp(_)));
            self.see(event);
        }
        if self.one_in(2) {
            self.note("cut stream", "");
            self.stream = None;
        }
    }

    /// Applies a frame; true if the cursor was no longer valid.
    fn see(&mut self, event: v1::Event) -> bool {
        self.cursor = Some(event.cursor);
        match event.frame.expect("a frame") {
            Frame::MessageReceived(entry) | Frame::MessageUpdated(entry) => {
                self.note("change", &entry.message_id);
                self.copy.mention(entry);
            }
            Frame::MessageDeleted(gone) => {
                self.note("deletion", &gone.message_id);
                self.copy.drop_deleted(gone);
            }
            Frame::Resync(_) => {
                self.note("resync", "");
                self.read_again();
                if self.one_in(3) {
                    self.start_over();
                }
                return true;
            }
            Frame::CaughtUp(_) if matches!(self.reading, SyncProgress::Replay) => {
                self.end_reading();
            }
            Frame::CaughtUp(_) | Frame::Counts(_) | Frame::Heartbeat(_) => {}
            Frame::Reconnect(_) => self.stream = None,
        }
        false
    }

    /// Reads what is left of everything, and follows the feed to its end.
    pub async fn finish(&mut self, test: &TestService) {
        loop {
            while matches!(self.reading, SyncProgress::Pages(_)) {
                self.read_page(test).await;
            }
            let cursor = self.cursor.clone().expect("a cursor");
            let rest = changes(&mut self.user(test), &cursor, 1).await;
            if matches!(self.reading, SyncProgress::Done) && rest.events.is_empty() && !rest.more {
                return;
            }
            if self.stream.is_some() || self.one_in(2) {
                self.read_stream(test, u32::MAX).await;
            } else {
                self.poll(test).await;
            }
        }
    }

    /// Asserts that the copy equals the boxes.
    pub async fn compare(&mut self, test: &TestService) {
        let request = v1::GetMessagesPageRequest {
            context: Some(v1::PageContext {
                pagination: Some(v1::Pagination {
                    rows_per_page: 200,
                    ..Default::default()
                }),
                ..Default::default()
            }),
        };
        let answer = ok(self.user(test).get_messages_page(request)).await;
        let page = answer.results.expect("a page");
        assert!(!page.more_after);
        let boxes: MailboxCopy = page.items.into_iter().collect();
        assert_eq!(
            self.copy.entries(),
            boxes.entries(),
            "{} {}: {:#?}",
            self.app,
            self.owner,
            self.steps
        );
        self.steps.clear();
        if self.one_in(3) {
            self.start_over();
        }
    }
}

async fn changes(user: &mut InProcessUser, cursor: &str, limit: i32) -> v1::GetChangesResponse {
    let request = v1::GetChangesRequest {
        cursor: cursor.to_owned(),
        limit,
        ..Default::default()
    };
    ok(user.get_changes(request)).await
}
