//! Peers that send frames without end beside their calls, and honest ones that send many.

use bytes::Bytes;
use http::Response;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::io::{ReadHalf, WriteHalf, split};
use tonic::body::Body;

use super::*;
use crate::limits::{CONTROL_FRAMES_EARNED_MAX, RESETS_MAX, RESETS_TO_CLOSE};
use crate::serve::http2::frame_reader::FrameReader;

const GOAWAY: u8 = 7;
/// Frames that are written at once.
const GROUP: usize = 50;
/// Pieces of an answer that its reader takes through a narrow window, and their size.
const PIECES: usize = 8 * 1024;
const PIECE: &[u8] = &[7; 1024];

/// A peer that reads all that it is sent.
struct ReadingPeer {
    writer: WriteHalf<DuplexStream>,
    ended: JoinHandle<Instant>,
    /// Kinds of the frames that it was sent.
    received: JoinHandle<Vec<u8>>,
}

impl ReadingPeer {
    async fn connect() -> Self {
        let (client, ended) = connect(&Drain::default(), Duration::from_secs(100));
        let (reader, writer) = split(client);
        let mut peer = Self {
            writer,
            ended,
            received: tokio::spawn(kinds(reader)),
        };
        peer.write(&[PREFACE, SETTINGS, &open_call(1)].concat())
            .await;
        peer
    }

    /// Writes unless the connection has ended, and lets the server read.
    async fn write(&mut self, bytes: &[u8]) {
        let _ = self.writer.write_all(bytes).await;
        sleep(Duration::from_micros(1)).await;
    }

    fn has_ended(&self) -> bool {
        self.ended.is_finished()
    }

    /// Ends the connection, and returns the kinds of the frames that were received.
    async fn kinds(mut self) -> Vec<u8> {
        let _ = self.writer.shutdown().await;
        self.received.await.expect("no panic")
    }
}

/// Reads to the end, and returns the kinds of the frames.
async fn kinds(mut reader: ReadHalf<DuplexStream>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = reader.read_to_end(&mut bytes).await;
    let (mut frames, mut rest) = (FrameReader::of_server(), &bytes[..]);
    let mut kinds = Vec::new();
    while !rest.is_empty() {
        let (read, header) = frames.read(rest);
        kinds.extend(header.map(|header| header.kind));
        rest = &rest[read..];
    }
    kinds
}

fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).expect("a short payload");
    let mut frame = vec![0, 0, length, kind, 0];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_control_frames_ends_the_connection() {
    for flood in [
        frame(6, 0, b"pingping"),
        frame(4, 0, b""),
        frame(2, 1, &[0, 0, 0, 0, 16]),
        frame(8, 0, &[0, 0, 0, 1]),
        frame(0xee, 0, b"unknown"),
        frame(0, 1, b""),
    ] {
        let mut peer = ReadingPeer::connect().await;
        let group = flood.repeat(GROUP);
        for _ in 0..CONTROL_FRAMES_EARNED_MAX as usize / GROUP {
            peer.write(&group).await;
        }
        assert!(peer.has_ended(), "{}", flood[3]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_resets_its_calls_is_told_to_leave_and_then_disconnected() {
    let mut peer = ReadingPeer::connect().await;
    let mut streams = (3_u32..).step_by(2);
    let mut reset = async |peer: &mut ReadingPeer, calls: u32| {
        for _ in 0..calls as usize / GROUP {
            let calls = streams.by_ref().take(GROUP).flat_map(abandoned_call);
            peer.write(&calls.collect::<Vec<_>>()).await;
        }
    };
    reset(&mut peer, RESETS_MAX - 100).await;
    assert!(!peer.has_ended());
    reset(&mut peer, RESETS_TO_CLOSE).await;
    assert!(peer.has_ended());
    assert!(peer.kinds().await.contains(&GOAWAY));
}

/// A service whose answers have [`PIECES`].
fn large_answers() -> GrpcService {
    BoxCloneSyncService::new(service_fn(async |_: Request<Body>| {
        let piece = |_| Ok::<_, Infallible>(Frame::data(Bytes::from_static(PIECE)));
        let pieces = futures::stream::iter((0..PIECES).map(piece));
        Ok::<_, Infallible>(Response::new(Body::new(StreamBody::new(pieces))))
    }))
}

#[tokio::test(start_paused = true)]
async fn a_fast_reader_with_a_narrow_window_is_served() {
    let drain = Drain::default();
    let (client, _ended) = connect_serving(large_answers(), &Connections::new(0), &drain);
    let window = u32::try_from(PIECE.len()).expect("a short piece");
    let endpoint = Endpoint::from_static("http://postroom")
        .initial_stream_window_size(window)
        .initial_connection_window_size(window);
    let mut channel = channel_of(endpoint, client).await;
    let request = Request::post("/x").body(Body::empty()).expect("a request");
    channel.ready().await.expect("a connection");
    let answer = tower::Service::call(&mut channel, request).await;
    let body = answer.expect("an answer").into_body();
    let bytes = body.collect().await.expect("no error").to_bytes();
    assert_eq!(bytes.len(), PIECES * PIECE.len());
}
