//! A reader that resumes its stream again and again, and checks every frame.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use domain::{AppId, ProfileId};
use proto::v1;
use proto::v1::event::Frame;
use rand::RngExt as _;
use rpc::convert::cursor;
use support::issuer::APP;
use tokio::time::{sleep, timeout};
use tonic::Streaming;

use super::faults::{FaultyReplicas, name};

/// Numbers of frames that readers have seen, and of errors in them.
#[derive(Debug, Default)]
pub struct StreamFigures {
    pub streams: usize,
    pub changes: usize,
    pub missed: usize,
    pub doubled: usize,
    pub disordered: usize,
    pub resyncs: usize,
}

impl StreamFigures {
    pub fn add(&mut self, other: &Self) {
        self.streams += other.streams;
        self.changes += other.changes;
        self.missed += other.missed;
        self.doubled += other.doubled;
        self.disordered += other.disordered;
        self.resyncs += other.resyncs;
    }
}

impl fmt::Display for StreamFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            streams,
            changes,
            missed,
            doubled,
            disordered,
            resyncs,
        } = self;
        write!(
            f,
            "{streams} streams, {changes} changes, missed {missed}, doubled {doubled}, \
             disorder {disordered}, resyncs {resyncs}"
        )
    }
}

/// An entry as the reader knows it: box and id, with version and whether it is read.
type KnownEntries = BTreeMap<(String, String), (i64, bool)>;

pub struct StreamReader {
    number: usize,
    cursor: String,
    seq: i64,
    known: KnownEntries,
    pub figures: StreamFigures,
}

impl StreamReader {
    pub fn new(number: usize) -> Self {
        Self {
            number,
            cursor: "0".to_owned(),
            seq: 0,
            known: KnownEntries::new(),
            figures: StreamFigures::default(),
        }
    }

    /// Follows on any replica, again and again, until it knows all there is when nothing
    /// happens any more, or its time is over.
    pub async fn follow(&mut self, replicas: &FaultyReplicas) {
        loop {
            let mut user = replicas.user(self.number);
            let request = v1::SubscribeRequest {
                cursor: self.cursor.clone(),
                view: v1::MessageView::Metadata.into(),
                ..Default::default()
            };
            let opened = timeout(Duration::from_secs(3), user.subscribe(request)).await;
            if let Ok(Ok(stream)) = opened {
                self.figures.streams += 1;
                self.read(replicas, stream.into_inner()).await;
            }
            if let Some(deadline) = replicas.settling() {
                let stored = self.stored(replicas).await;
                if stored.as_ref() == Some(&self.known) {
                    return;
                }
                if Instant::now() > deadline {
                    self.figures.missed += difference(&stored.unwrap_or_default(), &self.known);
                    return;
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Reads a stream for a while, or until it ends.
    async fn read(
        &mut self,
        replicas: &FaultyReplicas,
        mut stream: Streaming<v1::SubscribeResponse>,
    ) {
        let for_ms = rand::rng().random_range(100..2_500);
        let until = Instant::now() + Duration::from_millis(for_ms);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            // A cut by time drops the connection with all frames on their way.
            match timeout(left, stream.message()).await {
                Ok(Ok(Some(answer))) => self.take(answer.event.expect("an event")),
                Ok(Ok(None) | Err(_)) | Err(_) => return,
            }
            if replicas.settling().is_some() && left.is_zero() {
                return;
            }
        }
    }

    fn take(&mut self, event: v1::Event) {
        let app = AppId::parse(APP).expect("an app id");
        let owner = ProfileId::parse(&name(self.number)).expect("a profile id");
        let seen = cursor::parse(&event.cursor, &app, &owner).expect("our cursor");
        let seq = seen.offset.seq;
        let is_change = self.apply(event.frame.expect("a frame"));
        match seq.cmp(&self.seq) {
            std::cmp::Ordering::Less => self.figures.disordered += 1,
            std::cmp::Ordering::Equal if is_change => self.figures.doubled += 1,
            _ => {}
        }
        self.seq = seq;
        self.cursor = event.cursor;
    }

    /// Applies a frame; true if it is about a message.
    fn apply(&mut self, frame: Frame) -> bool {
        match frame {
            Frame::MessageReceived(entry) => {
                // It may be new twice if it changed while a backlog was read in parts.
                let version = entry.version;
                let before = self.put(entry);
                let is_old = before.is_some_and(|(known, _)| known >= version);
                self.figures.doubled += usize::from(is_old);
            }
            Frame::MessageUpdated(entry) => {
                let version = entry.version;
                let before = self.put(entry);
                self.figures.missed += usize::from(before.is_none());
                let is_old = before.is_some_and(|(known, _)| known >= version);
                self.figures.doubled += usize::from(is_old);
            }
            Frame::MessageDeleted(gone) => {
                // It may have come and gone since the cursor.
                self.known.remove(&(gone.msgbox, gone.message_id));
            }
            Frame::Resync(_) => {
                self.figures.resyncs += 1;
                return false;
            }
            _ => return false,
        }
        self.figures.changes += 1;
        true
    }

    fn put(&mut self, entry: v1::MsgboxEntry) -> Option<(i64, bool)> {
        let key = (entry.msgbox, entry.message_id);
        self.known.insert(key, (entry.version, entry.read))
    }

    /// Entries that the service has.
    async fn stored(&self, replicas: &FaultyReplicas) -> Option<KnownEntries> {
        let mut user = replicas.user(self.number);
        let mut known = KnownEntries::new();
        let mut request = v1::GetChangesRequest {
            cursor: "0".to_owned(),
            limit: 500,
            view: v1::MessageView::Metadata.into(),
            ..Default::default()
        };
        loop {
            let answer = user.get_changes(request.clone()).await.ok()?.into_inner();
            for event in answer.events {
                if let Some(Frame::MessageReceived(entry)) = event.frame {
                    let key = (entry.msgbox, entry.message_id);
                    known.insert(key, (entry.version, entry.read));
                }
            }
            if !answer.more {
                return Some(known);
            }
            request.cursor = answer.cursor;
        }
    }
}

fn difference(one: &KnownEntries, other: &KnownEntries) -> usize {
    let lacks = |one: &KnownEntries, other: &KnownEntries| {
        one.iter()
            .filter(|(key, value)| other.get(*key) != Some(value))
            .count()
    };
    lacks(one, other).max(lacks(other, one))
}
