//! Reader of the headers of HTTP/2 frames in a stream of bytes.

/// Bytes of the connection preface, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`.
const PREFACE_BYTES: usize = 24;
const FRAME_HEADER_BYTES: usize = 9;

/// DATA.
pub const DATA: u8 = 0x0;
/// HEADERS.
pub const HEADERS: u8 = 0x1;
/// `RST_STREAM`.
pub const RST_STREAM: u8 = 0x3;
/// CONTINUATION.
pub const CONTINUATION: u8 = 0x9;
/// Flag of the last frame of a stream.
pub const END_STREAM: u8 = 0x1;
/// Flag of the last frame of a header block.
pub const END_HEADERS: u8 = 0x4;
/// Flag of a frame with padding.
pub const PADDED: u8 = 0x8;

/// Header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    pub kind: u8,
    pub flags: u8,
    /// Length of the payload, in bytes.
    pub length: usize,
}

/// Position within the frames of one direction.
#[derive(Debug)]
pub struct FrameReader(FramePosition);

#[derive(Debug)]
enum FramePosition {
    /// Within the preface or a payload, of which that many bytes are missing.
    Payload(usize),
    /// Within a frame header, of which that many bytes have been read.
    Header([u8; FRAME_HEADER_BYTES], usize),
}

const BETWEEN_FRAMES: FramePosition = FramePosition::Header([0; FRAME_HEADER_BYTES], 0);

impl FrameReader {
    /// Reader of a client's bytes, which begin with the preface.
    pub const fn of_client() -> Self {
        Self(FramePosition::Payload(PREFACE_BYTES))
    }

    /// Reader of a server's bytes.
    pub const fn of_server() -> Self {
        Self(BETWEEN_FRAMES)
    }

    /// Returns whether no frame is incomplete.
    pub const fn is_between_frames(&self) -> bool {
        matches!(self.0, FramePosition::Header(_, 0))
    }

    /// Reads bytes up to the next boundary. Returns their number, and the header that they complete.
    pub fn read(&mut self, bytes: &[u8]) -> (usize, Option<FrameHeader>) {
        match &mut self.0 {
            FramePosition::Payload(missing) => {
                let read = bytes.len().min(*missing);
                *missing -= read;
                if *missing == 0 {
                    self.0 = BETWEEN_FRAMES;
                }
                (read, None)
            }
            FramePosition::Header(header, before) => {
                let read = bytes.len().min(FRAME_HEADER_BYTES - *before);
                header[*before..*before + read].copy_from_slice(&bytes[..read]);
                *before += read;
                let is_complete = *before == FRAME_HEADER_BYTES;
                let header = is_complete.then(|| FrameHeader::parse(*header));
                if let Some(header) = header {
                    self.0 = match header.length {
                        0 => BETWEEN_FRAMES,
                        length => FramePosition::Payload(length),
                    };
                }
                (read, header)
            }
        }
    }
}

impl FrameHeader {
    const fn parse([high, middle, low, kind, flags, ..]: [u8; FRAME_HEADER_BYTES]) -> Self {
        Self {
            kind,
            flags,
            length: u32::from_be_bytes([0, high, middle, low]) as usize,
        }
    }
}
