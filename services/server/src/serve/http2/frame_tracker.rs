//! Tracker of the HTTP/2 frames of a connection, to find peers that stall within one, or that send
//! frames without end beside their calls.
//!
//! hyper waits without limit for the rest of a preface or of a header block. The tracker follows
//! the frame boundaries: between two frames and outside a header block the peer owes nothing, and
//! may be silent as long as it answers pings.
//!
//! It also takes any number of frames that cost their sender nothing: PING, SETTINGS, PRIORITY,
//! `WINDOW_UPDATE`, empty DATA, and calls that are reset at once.

use tokio::time::Instant;

use super::control_budget::ControlBudget;
use super::frame_reader::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, FrameHeader, FrameReader, HEADERS, PADDED,
    RST_STREAM,
};
use super::reset_excess::ResetExcess;
use crate::limits::{CALLS_PER_TURN, RESETS_MAX, RESETS_TO_CLOSE};

/// Position of a peer within its frames, and the number of them.
#[derive(Debug)]
pub struct FrameTracker {
    received: FrameReader,
    sent: FrameReader,
    /// A header block has begun and continues in another frame.
    in_header_block: bool,
    incomplete_since: Option<Instant>,
    control: ControlBudget,
    resets: ResetExcess,
    /// Calls that have begun since the last turn.
    calls_in_turn: u32,
}

/// Excess in the frames of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameExcess {
    /// Calls that were reset; the peer is told to leave.
    #[error("too many resets")]
    Resets,
    /// Calls that were reset although the peer was told to leave.
    #[error("too many resets after a notice")]
    ResetsAfterNotice,
    /// Control frames.
    #[error("too many control frames")]
    ControlFrames,
}

impl FrameTracker {
    /// Tracker of a peer that owes its preface since `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            received: FrameReader::of_client(),
            sent: FrameReader::of_server(),
            in_header_block: false,
            incomplete_since: Some(now),
            control: ControlBudget::new(now),
            resets: ResetExcess::new(now),
            calls_in_turn: 0,
        }
    }

    /// Begins a turn of the connection's task.
    pub const fn begin_turn(&mut self) {
        self.calls_in_turn = 0;
    }

    /// Returns whether no more may be read in this turn: h2 reads all there is before it hands the
    /// first call over, and calls that are reset before that count as abuse.
    pub const fn has_full_turn(&self) -> bool {
        self.calls_in_turn >= CALLS_PER_TURN
    }

    /// Start of the frame, headers or preface that the peer has not completed; `None` if it owes
    /// nothing.
    pub const fn incomplete_since(&self) -> Option<Instant> {
        self.incomplete_since
    }

    /// Follows bytes that the peer sent, however they are cut. Returns the last excess in them.
    pub fn receive(&mut self, mut bytes: &[u8], now: Instant) -> Option<FrameExcess> {
        let mut excess = None;
        while !bytes.is_empty() {
            let (read, header) = self.received.read(bytes);
            bytes = &bytes[read..];
            excess = header.and_then(|header| self.count(header, now)).or(excess);
            if self.received.is_between_frames() && !self.in_header_block {
                self.incomplete_since = None;
            } else {
                self.incomplete_since.get_or_insert(now);
            }
        }
        excess
    }

    /// Follows bytes that were sent to the peer.
    pub fn send(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (read, header) = self.sent.read(bytes);
            bytes = &bytes[read..];
            if let Some(header) = header.filter(|it| matches!(it.kind, HEADERS | DATA)) {
                self.control.earn();
                if header.flags & END_STREAM != 0 {
                    self.resets.answered();
                }
            }
        }
    }

    /// Counts a frame of the peer, and returns whether that is too many.
    fn count(&mut self, header: FrameHeader, now: Instant) -> Option<FrameExcess> {
        let FrameHeader {
            kind,
            flags,
            length,
        } = header;
        if kind == HEADERS || kind == CONTINUATION {
            self.in_header_block = flags & END_HEADERS == 0;
        }
        match kind {
            HEADERS => {
                self.control.earn();
                self.calls_in_turn += 1;
            }
            DATA if length > 0 && flags & PADDED == 0 => {}
            _ if !self.control.spend(now) => return Some(FrameExcess::ControlFrames),
            RST_STREAM => match self.resets.reset(now) {
                RESETS_MAX => return Some(FrameExcess::Resets),
                RESETS_TO_CLOSE.. => return Some(FrameExcess::ResetsAfterNotice),
                _ => {}
            },
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::rngs::StdRng;
    use rand::{Rng as _, RngExt as _, SeedableRng as _};

    use super::*;
    use crate::limits::{CONTROL_FRAMES_BURST, CONTROL_FRAMES_EARNED_MAX};

    const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u8::try_from(payload.len()).expect("a short payload");
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.extend(payload);
        frame
    }

    /// Returns whether a peer that sent these parts owes nothing.
    fn is_complete(parts: &[&[u8]]) -> bool {
        let now = Instant::now();
        let mut tracker = FrameTracker::new(now);
        for part in parts {
            tracker.receive(part, now);
        }
        tracker.incomplete_since().is_none()
    }

    #[test]
    fn random_bytes_are_read_the_same_however_they_are_cut() {
        let now = Instant::now();
        for seed in 0..500 {
            let mut random = StdRng::seed_from_u64(seed);
            let mut bytes = PREFACE.to_vec();
            for _ in 0..random.random_range(0..20) {
                let mut payload = vec![0; random.random_range(0..200)];
                random.fill_bytes(&mut payload);
                bytes.extend(frame(random.random_range(0..12), random.random(), &payload));
            }
            let tail = random.random_range(0..bytes.len());
            random.fill_bytes(&mut bytes[tail..]);
            let (mut whole, mut cut) = (FrameTracker::new(now), FrameTracker::new(now));
            whole.receive(&bytes, now);
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (part, after) = rest.split_at(random.random_range(1..=rest.len()));
                cut.receive(part, now);
                rest = after;
            }
            assert_eq!(whole.incomplete_since(), cut.incomplete_since(), "{seed}");
            assert_eq!(whole.has_full_turn(), cut.has_full_turn(), "{seed}");
        }
    }

    #[test]
    fn a_peer_owes_nothing_after_its_preface_and_after_each_frame() {
        let data = frame(0, 0, b"data");
        assert!(!is_complete(&[]));
        assert!(!is_complete(&[&PREFACE[..23]]));
        assert!(is_complete(&[PREFACE]));
        assert!(is_complete(&[PREFACE, &data, &frame(4, 0, b"")]));
        assert!(!is_complete(&[PREFACE, &data[..5]]));
        assert!(!is_complete(&[PREFACE, &data[..12]]));
    }

    #[test]
    fn a_header_block_is_complete_with_its_end_flag() {
        let begun = frame(HEADERS, 0, b"some");
        let more = frame(CONTINUATION, 0, b"more");
        let end = frame(CONTINUATION, END_HEADERS, b"");
        assert!(is_complete(&[
            PREFACE,
            &frame(HEADERS, END_HEADERS, b"all")
        ]));
        assert!(!is_complete(&[PREFACE, &begun]));
        assert!(!is_complete(&[PREFACE, &begun, &more, &more]));
        assert!(is_complete(&[PREFACE, &begun, &more, &end]));
    }

    #[test]
    fn a_frame_is_tracked_however_its_bytes_are_cut() {
        let mut bytes = PREFACE.to_vec();
        bytes.extend(frame(HEADERS, END_HEADERS, b"all"));
        let single = bytes.chunks(1).collect::<Vec<_>>();
        assert!(is_complete(&single));
        assert!(is_complete(&[&bytes]));
    }

    #[test]
    fn the_time_of_an_incomplete_header_block_is_that_of_its_first_frame() {
        let start = Instant::now();
        let later = start + Duration::from_secs(3);
        let mut tracker = FrameTracker::new(start);
        tracker.receive(PREFACE, start);
        tracker.receive(&frame(HEADERS, 0, b"some"), later);
        tracker.receive(
            &frame(CONTINUATION, 0, b"more"),
            later + Duration::from_secs(3),
        );
        assert_eq!(tracker.incomplete_since(), Some(later));
    }

    /// Tracker of a peer that has sent its preface, and owes nothing.
    fn greeted(now: Instant) -> FrameTracker {
        let mut tracker = FrameTracker::new(now);
        tracker.receive(PREFACE, now);
        tracker
    }

    /// Number of times that a peer sends these bytes until there is an excess.
    fn times_to_excess(bytes: &[u8], answer: &[u8]) -> Option<(u32, FrameExcess)> {
        let now = Instant::now();
        let mut tracker = greeted(now);
        (1..=2 * CONTROL_FRAMES_EARNED_MAX).find_map(|times| {
            let excess = tracker.receive(bytes, now);
            tracker.send(answer);
            excess.map(|excess| (times, excess))
        })
    }

    #[test]
    fn control_frames_beyond_the_budget_are_an_excess() {
        let padded = frame(DATA, PADDED, b"\x03\0\0\0");
        for flood in [
            frame(6, 0, b"12345678"),
            frame(4, 0, b""),
            frame(2, 0, b"12345"),
            frame(8, 0, b"1234"),
            frame(0xee, 0, b"unknown"),
            frame(DATA, 0, b""),
            padded,
        ] {
            let excess = (CONTROL_FRAMES_BURST + 1, FrameExcess::ControlFrames);
            let kind = flood[3];
            assert_eq!(times_to_excess(&flood, b""), Some(excess), "{kind}");
            let acknowledgement = frame(kind, 1, b"12345678");
            if kind != DATA {
                let times = times_to_excess(&flood, &acknowledgement);
                assert_eq!(times, Some(excess), "{kind}");
            }
        }
    }

    #[test]
    fn control_frames_that_calls_justify_are_no_excess() {
        let updates = [frame(8, 0, b"1234"), frame(8, 0, b"1234")].concat();
        let data = frame(DATA, 0, b"data");
        assert_eq!(times_to_excess(&updates, &data), None);
        let call = [frame(HEADERS, END_HEADERS, b"all"), frame(DATA, 1, b"")].concat();
        assert_eq!(times_to_excess(&call, b""), None);
        assert_eq!(times_to_excess(&data, b""), None);
    }

    #[test]
    fn resets_beyond_answers_are_an_excess() {
        let reset = [
            frame(HEADERS, END_HEADERS, b"all"),
            frame(RST_STREAM, 0, b"1234"),
        ]
        .concat();
        let excess = Some((RESETS_MAX, FrameExcess::Resets));
        assert_eq!(times_to_excess(&reset, b""), excess);
        let answer = frame(HEADERS, END_STREAM, b"trailers");
        assert_eq!(times_to_excess(&reset, &answer), None);
    }

    #[test]
    fn a_turn_is_full_after_a_number_of_calls() {
        let now = Instant::now();
        let mut tracker = greeted(now);
        let call = frame(HEADERS, END_HEADERS, b"all");
        for _ in 0..CALLS_PER_TURN {
            assert!(!tracker.has_full_turn());
            tracker.receive(&call, now);
        }
        assert!(tracker.has_full_turn());
        tracker.begin_turn();
        assert!(!tracker.has_full_turn());
    }
}
