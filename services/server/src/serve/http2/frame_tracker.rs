//! Tracker of the HTTP/2 frames that a peer sends, to find peers that stall within one.
//!
//! hyper waits without limit for the rest of a preface or of a header block. The tracker follows
//! the frame boundaries: between two frames and outside a header block the peer owes nothing, and
//! may be silent as long as it answers pings.

use tokio::time::Instant;

/// Bytes of the connection preface, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`.
const PREFACE_BYTES: usize = 24;
const FRAME_HEADER_BYTES: usize = 9;
const HEADERS: u8 = 0x1;
const CONTINUATION: u8 = 0x9;
const END_HEADERS: u8 = 0x4;

/// Position of a peer within its frames.
#[derive(Debug)]
pub struct FrameTracker {
    position: FramePosition,
    /// A header block has begun and continues in another frame.
    in_header_block: bool,
    incomplete_since: Option<Instant>,
}

#[derive(Debug)]
enum FramePosition {
    /// Within the preface or a payload, of which that many bytes are missing.
    Payload(usize),
    /// Within a frame header, of which that many bytes have been received.
    Header([u8; FRAME_HEADER_BYTES], usize),
}

const BETWEEN_FRAMES: FramePosition = FramePosition::Header([0; FRAME_HEADER_BYTES], 0);

impl FrameTracker {
    /// Tracker of a peer that owes its preface since `now`.
    pub fn new(now: Instant) -> Self {
        Self {
            position: FramePosition::Payload(PREFACE_BYTES),
            in_header_block: false,
            incomplete_since: Some(now),
        }
    }

    /// Start of the frame, headers or preface that the peer has not completed; `None` if it owes
    /// nothing.
    pub const fn incomplete_since(&self) -> Option<Instant> {
        self.incomplete_since
    }

    /// Follows bytes that the peer sent, however they are cut.
    pub fn receive(&mut self, mut bytes: &[u8], now: Instant) {
        while !bytes.is_empty() {
            let consumed = self.consume(bytes);
            bytes = &bytes[consumed..];
            if self.is_complete() {
                self.incomplete_since = None;
            } else {
                self.incomplete_since.get_or_insert(now);
            }
        }
    }

    const fn is_complete(&self) -> bool {
        matches!(self.position, FramePosition::Header(_, 0)) && !self.in_header_block
    }

    /// Follows bytes up to the next boundary, and returns their number.
    fn consume(&mut self, bytes: &[u8]) -> usize {
        match &mut self.position {
            FramePosition::Payload(missing) => {
                let consumed = bytes.len().min(*missing);
                *missing -= consumed;
                if *missing == 0 {
                    self.position = BETWEEN_FRAMES;
                }
                consumed
            }
            FramePosition::Header(header, received) => {
                let consumed = bytes.len().min(FRAME_HEADER_BYTES - *received);
                header[*received..*received + consumed].copy_from_slice(&bytes[..consumed]);
                *received += consumed;
                if *received == FRAME_HEADER_BYTES {
                    let header = *header;
                    self.begin_payload(header);
                }
                consumed
            }
        }
    }

    fn begin_payload(&mut self, header: [u8; FRAME_HEADER_BYTES]) {
        let [high, middle, low, kind, flags, ..] = header;
        if kind == HEADERS || kind == CONTINUATION {
            self.in_header_block = flags & END_HEADERS == 0;
        }
        self.position = match u32::from_be_bytes([0, high, middle, low]) as usize {
            0 => BETWEEN_FRAMES,
            length => FramePosition::Payload(length),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

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
}
