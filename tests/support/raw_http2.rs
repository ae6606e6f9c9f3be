//! A gRPC client that misbehaves: it leaves requests unfinished and answers unread.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use prost::Message;
use tokio::net::TcpStream;

/// A connection. It answers pings, as any client does.
#[derive(Debug, Clone)]
pub struct RawConnection {
    address: SocketAddr,
    requests: SendRequest<Bytes>,
}

/// A call whose request goes on.
#[derive(Debug)]
pub struct RawCall {
    answer: ResponseFuture,
    /// Request, which ends when it is told to.
    pub request: SendStream<Bytes>,
}

impl RawConnection {
    /// Opens a connection that takes `window_bytes` of each answer until it is read.
    ///
    /// # Panics
    /// If it cannot be opened.
    pub async fn open(address: SocketAddr, window_bytes: u32) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        let mut builder = Builder::new();
        builder.initial_window_size(window_bytes);
        let handshake = builder.handshake::<_, Bytes>(stream).await;
        let (requests, connection) = handshake.expect("a handshake");
        tokio::spawn(connection);
        Self { address, requests }
    }

    /// Begins a call of a method, `postroom.v1.Messaging/GetMessageCounts`, without its message.
    ///
    /// # Errors
    /// If the server has ended the connection.
    pub async fn begin(
        &mut self,
        method: &str,
        token: &str,
        timeout: &str,
    ) -> Result<RawCall, h2::Error> {
        let request = Request::post(format!("http://{}/{method}", self.address))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("authorization", format!("Bearer {token}"))
            .header("grpc-timeout", timeout)
            .body(())
            .expect("a request");
        let mut requests = self.requests.clone().ready().await?;
        let (answer, request) = requests.send_request(request, false)?;
        Ok(RawCall { answer, request })
    }

    /// Calls a method.
    ///
    /// # Errors
    /// If the server has ended the connection.
    pub async fn call(
        &mut self,
        method: &str,
        token: &str,
        timeout: &str,
        message: &impl Message,
    ) -> Result<RawCall, h2::Error> {
        let mut call = self.begin(method, token, timeout).await?;
        call.request.send_data(framed(message), true)?;
        Ok(call)
    }
}

impl RawCall {
    /// Waits for the answer to begin.
    ///
    /// # Errors
    /// If the server has reset the stream.
    pub async fn answer(self) -> Result<RawAnswer, h2::Error> {
        let (head, body) = self.answer.await?.into_parts();
        Ok(RawAnswer {
            head: Response::from_parts(head, ()),
            body,
        })
    }
}

/// An answer, of which nothing is read unless it is asked for.
#[derive(Debug)]
pub struct RawAnswer {
    head: Response<()>,
    body: RecvStream,
}

impl RawAnswer {
    /// Status code of gRPC of an answer that is refused at once; none if there is more.
    #[must_use]
    pub fn code(&self) -> Option<i32> {
        code(self.head.headers())
    }

    /// Waits until the server resets the stream.
    ///
    /// # Panics
    /// If the answer ends otherwise.
    pub async fn reset(mut self) -> Option<h2::Reason> {
        loop {
            match self.body.data().await {
                Some(Ok(_)) => {}
                Some(Err(error)) => return error.reason(),
                None => panic!("the answer has ended"),
            }
        }
    }
}

fn code(headers: &HeaderMap) -> Option<i32> {
    headers.get("grpc-status")?.to_str().ok()?.parse().ok()
}

/// Returns the message with its length before it.
fn framed(message: &impl Message) -> Bytes {
    let length = u32::try_from(message.encoded_len()).expect("a short message");
    let mut framed = vec![0];
    framed.extend(length.to_be_bytes());
    framed.extend(message.encode_to_vec());
    framed.into()
}
