//! Whether a peer has finished what it began to say.
//!
//! hyper waits for ever for the rest of a preface or of a block of headers. So we count
//! frames along: between two frames, with no block of headers open, a peer is finished and
//! may be silent as long as it answers pings.

use tokio::time::Instant;

/// `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`
const PREFACE_BYTES: usize = 24;
const FRAME_HEADER_BYTES: usize = 9;
const HEADERS: u8 = 0x1;
const CONTINUATION: u8 = 0x9;
const END_HEADERS: u8 = 0x4;

/// How far a peer has come.
#[derive(Debug)]
pub struct Inbound {
    at: At,
    /// A block of headers has begun and goes on in another frame.
    headers_open: bool,
    unfinished_since: Option<Instant>,
}

#[derive(Debug)]
enum At {
    /// In the preface or a frame's payload: so many bytes are missing.
    Within(usize),
    /// In a frame's header: so many bytes of it are there.
    Header([u8; FRAME_HEADER_BYTES], usize),
}

const BETWEEN: At = At::Header([0; FRAME_HEADER_BYTES], 0);

impl Inbound {
    /// A peer that has not said anything yet.
    pub fn new(now: Instant) -> Self {
        Self {
            at: At::Within(PREFACE_BYTES),
            headers_open: false,
            unfinished_since: Some(now),
        }
    }

    /// Since when the peer owes the rest of something.
    pub fn unfinished_since(&self) -> Option<Instant> {
        self.unfinished_since
    }

    /// Takes what the peer said.
    pub fn hear(&mut self, mut bytes: &[u8], now: Instant) {
        while !bytes.is_empty() {
            let taken = self.take(bytes);
            bytes = &bytes[taken..];
            if self.is_finished() {
                self.unfinished_since = None;
            } else {
                self.unfinished_since.get_or_insert(now);
            }
        }
    }

    fn is_finished(&self) -> bool {
        matches!(self.at, At::Header(_, 0)) && !self.headers_open
    }

    fn take(&mut self, bytes: &[u8]) -> usize {
        match &mut self.at {
            At::Within(missing) => {
                let taken = bytes.len().min(*missing);
                *missing -= taken;
                if *missing == 0 {
                    self.at = BETWEEN;
                }
                taken
            }
            At::Header(header, there) => {
                let taken = bytes.len().min(FRAME_HEADER_BYTES - *there);
                header[*there..*there + taken].copy_from_slice(&bytes[..taken]);
                *there += taken;
                if *there == FRAME_HEADER_BYTES {
                    let header = *header;
                    self.begin_payload(header);
                }
                taken
            }
        }
    }

    fn begin_payload(&mut self, header: [u8; FRAME_HEADER_BYTES]) {
        let [high, middle, low, kind, flags, ..] = header;
        if kind == HEADERS || kind == CONTINUATION {
            self.headers_open = flags & END_HEADERS == 0;
        }
        self.at = match u32::from_be_bytes([0, high, middle, low]) as usize {
            0 => BETWEEN,
            length => At::Within(length),
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

    fn said(parts: &[&[u8]]) -> bool {
        let now = Instant::now();
        let mut inbound = Inbound::new(now);
        for part in parts {
            inbound.hear(part, now);
        }
        inbound.unfinished_since().is_none()
    }

    #[test]
    fn a_peer_is_finished_after_its_preface_and_after_each_frame() {
        let data = frame(0, 0, b"data");
        assert!(!said(&[]));
        assert!(!said(&[&PREFACE[..23]]));
        assert!(said(&[PREFACE]));
        assert!(said(&[PREFACE, &data, &frame(4, 0, b"")]));
        assert!(!said(&[PREFACE, &data[..5]]));
        assert!(!said(&[PREFACE, &data[..12]]));
    }

    #[test]
    fn a_block_of_headers_is_finished_when_it_says_so() {
        let begun = frame(HEADERS, 0, b"some");
        let more = frame(CONTINUATION, 0, b"more");
        let end = frame(CONTINUATION, END_HEADERS, b"");
        assert!(said(&[PREFACE, &frame(HEADERS, END_HEADERS, b"all")]));
        assert!(!said(&[PREFACE, &begun]));
        assert!(!said(&[PREFACE, &begun, &more, &more]));
        assert!(said(&[PREFACE, &begun, &more, &end]));
    }

    #[test]
    fn it_does_not_matter_how_the_bytes_arrive() {
        let mut bytes = PREFACE.to_vec();
        bytes.extend(frame(HEADERS, END_HEADERS, b"all"));
        let single = bytes.chunks(1).collect::<Vec<_>>();
        assert!(said(&single));
        assert!(said(&[&bytes]));
    }

    #[test]
    fn time_runs_from_the_beginning_of_what_is_unfinished() {
        let start = Instant::now();
        let later = start + Duration::from_secs(3);
        let mut inbound = Inbound::new(start);
        inbound.hear(PREFACE, start);
        inbound.hear(&frame(HEADERS, 0, b"some"), later);
        inbound.hear(
            &frame(CONTINUATION, 0, b"more"),
            later + Duration::from_secs(3),
        );
        assert_eq!(inbound.unfinished_since(), Some(later));
    }
}
