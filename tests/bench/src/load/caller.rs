//! The calls, by the generated clients, each as another user.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use proto::sys::v1 as sys;
use proto::sys::v1::sys_client::SysClient;
use proto::v1::content::Body;
use proto::v1::messaging_client::MessagingClient;
use proto::v1::{
    Content, GetMessageBoxesRequest, GetMessageCountsRequest, GetMessagesPageRequest,
    MarkMessagesReadRequest, PageContext, Pagination, SearchCriteria, SendMessageRequest, Sender,
    SubscribeRequest, SubscribeResponse,
};
use rand::random_range;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};
use uuid::Uuid;

use crate::scenario::CallKind;
use crate::site::dataset::{Dataset, profile};
use crate::site::keys::SignedTokens;

/// Rows of a page.
const ROWS: i32 = 20;
/// Recipients of a message to many.
const TEN: u64 = 10;
/// Recipients of a message: as many as a user may name.
const HUNDRED: u64 = 100;
/// Recipients of a message of the app.
const AUDIENCE: u64 = 500;
/// Text of a message.
const TEXT: &str = "Well played! Same time tomorrow? I found a shortcut through the north gate, \
                    bring two torches and the map.";

/// Calls as every user of a dataset. Clones share their connections.
#[derive(Clone)]
pub struct LoadCaller {
    shared: Arc<CallerState>,
    /// Deadline of a call; that of the service if absent.
    patience: Option<Duration>,
}

struct CallerState {
    connections: Vec<Channel>,
    sys: Option<Channel>,
    keys: SignedTokens,
    dataset: Dataset,
    /// Number of messages marked so far.
    marks: AtomicU64,
}

impl LoadCaller {
    /// Opens `connections` connections to `Messaging`, and one to `Sys`.
    ///
    /// # Errors
    /// If nobody answers.
    pub async fn connect(
        user: SocketAddr,
        sys: Option<SocketAddr>,
        connections: usize,
        keys: SignedTokens,
        dataset: Dataset,
    ) -> anyhow::Result<Self> {
        let mut channels = Vec::with_capacity(connections);
        for _ in 0..connections {
            channels.push(connection(user).await?);
        }
        let sys = match sys {
            Some(address) => Some(connection(address).await?),
            None => None,
        };
        let marks = AtomicU64::new(0);
        let shared = CallerState {
            connections: channels,
            sys,
            keys,
            dataset,
            marks,
        };
        Ok(Self {
            shared: Arc::new(shared),
            patience: None,
        })
    }

    /// The same caller with a deadline in each call.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self {
            patience: Some(patience),
            ..self.clone()
        }
    }

    /// Sends one message between two users, from which all others are copied.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn send_first(&self) -> anyhow::Result<()> {
        self.send(0, 0, vec![profile(1)], String::new()).await?;
        Ok(())
    }

    /// Every user calls once, so that the tokens of all of them are known.
    ///
    /// # Errors
    /// If a call is refused.
    pub async fn prime(&self) -> anyhow::Result<()> {
        let calls =
            stream::iter(0..self.shared.dataset.profiles()).map(|user| self.counts(0, user));
        Ok(calls.buffer_unordered(64).try_collect().await?)
    }

    /// Makes one call on the connection of a worker.
    ///
    /// # Errors
    /// If it is refused, or does not do what it should.
    pub async fn call(&self, worker: usize, work: CallKind) -> Result<(), Status> {
        let profiles = self.shared.dataset.profiles();
        let user = random_range(0..profiles);
        let other = |distance: u64| profile((user + distance) % profiles);
        match work {
            CallKind::Send => {
                let to = vec![other(random_range(1..profiles))];
                self.send(worker, user, to, String::new()).await.map(drop)
            }
            CallKind::SendWithRequestId => {
                let to = vec![other(random_range(1..profiles))];
                let request_id = Uuid::new_v4().to_string();
                self.send(worker, user, to, request_id).await.map(drop)
            }
            CallKind::SendToTen | CallKind::SendToHundred => {
                let many = if work == CallKind::SendToTen {
                    TEN
                } else {
                    HUNDRED
                };
                let first = random_range(1..=profiles - many);
                let to = (first..first + many).map(other).collect();
                self.send(worker, user, to, String::new()).await.map(drop)
            }
            CallKind::SendHot => {
                let user = user % 2;
                let to = vec![profile(1 - user)];
                self.send(worker, user, to, String::new()).await.map(drop)
            }
            CallKind::Mark => self.mark(worker).await,
            CallKind::Page => self.page(worker, user).await,
            CallKind::Counts => self.counts(worker, user).await,
            CallKind::Empty => self.boxes(worker, user).await,
            CallKind::Announce => self.announce((0..AUDIENCE).map(other).collect()).await,
        }
    }

    /// A message to a user from any other, and its id.
    ///
    /// # Errors
    /// If it is refused, or does not reach the user.
    pub async fn send_to(&self, user: u64) -> Result<String, Status> {
        let profiles = self.shared.dataset.profiles();
        let from = (user + random_range(1..profiles)) % profiles;
        self.send(0, from, vec![profile(user)], String::new()).await
    }

    /// Follows the mailbox of a user from now on.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn subscribe(
        &self,
        connection: Channel,
        user: u64,
    ) -> Result<Streaming<SubscribeResponse>, Status> {
        let request = self.request(user, SubscribeRequest::default())?;
        let stream = MessagingClient::new(connection).subscribe(request).await?;
        Ok(stream.into_inner())
    }

    /// Number of users.
    pub fn profiles(&self) -> u64 {
        self.shared.dataset.profiles()
    }

    async fn send(
        &self,
        worker: usize,
        user: u64,
        to: Vec<String>,
        request_id: String,
    ) -> Result<String, Status> {
        let requested = to.len();
        let content = Some(content(TEXT));
        let message = SendMessageRequest {
            to,
            content,
            request_id,
            ..Default::default()
        };
        let sent = self
            .client(worker)
            .send_message(self.request(user, message)?)
            .await?;
        check(sent.get_ref().actual as usize == requested)?;
        Ok(sent.into_inner().message_id)
    }

    async fn mark(&self, worker: usize) -> Result<(), Status> {
        let dataset = &self.shared.dataset;
        let number = self.shared.marks.fetch_add(1, Ordering::Relaxed);
        let (user, round) = (number % dataset.profiles(), number / dataset.profiles());
        let message = MarkMessagesReadRequest {
            msgbox: "inbox".to_owned(),
            message_ids: vec![dataset.received(user, round % dataset.rounds())],
            unread: (round / dataset.rounds()) % 2 == 1,
            ..Default::default()
        };
        let marked = self
            .client(worker)
            .mark_messages_read(self.request(user, message)?)
            .await?;
        check(marked.get_ref().actual == 1)
    }

    /// The first page of a user's inbox.
    ///
    /// # Errors
    /// If it is refused, or is not full.
    pub async fn page(&self, worker: usize, user: u64) -> Result<(), Status> {
        let criteria = SearchCriteria {
            msgbox: "inbox".to_owned(),
            ..Default::default()
        };
        let context = PageContext {
            search_criteria: Some(criteria),
            pagination: Some(Pagination {
                rows_per_page: ROWS,
                ..Default::default()
            }),
            ..Default::default()
        };
        let message = GetMessagesPageRequest {
            context: Some(context),
        };
        let page = self
            .client(worker)
            .get_messages_page(self.request(user, message)?)
            .await?;
        let results = page.get_ref().results.as_ref();
        check(results.is_some_and(|results| results.items.len() == ROWS as usize))
    }

    async fn counts(&self, worker: usize, user: u64) -> Result<(), Status> {
        let request = self.request(user, GetMessageCountsRequest {})?;
        self.client(worker)
            .get_message_counts(request)
            .await
            .map(drop)
    }

    async fn boxes(&self, worker: usize, user: u64) -> Result<(), Status> {
        let request = self.request(user, GetMessageBoxesRequest {})?;
        self.client(worker)
            .get_message_boxes(request)
            .await
            .map(drop)
    }

    async fn announce(&self, to: Vec<String>) -> Result<(), Status> {
        let from = Sender {
            name: "Tournament".to_owned(),
            ..Default::default()
        };
        let mut request = Request::new(sys::SendMessageRequest {
            to,
            content: Some(content(TEXT)),
            sender: Some(from),
            ..Default::default()
        });
        request
            .metadata_mut()
            .insert("authorization", self.shared.keys.app());
        let channel = self
            .shared
            .sys
            .clone()
            .ok_or_else(|| Status::internal("no connection to Sys"))?;
        let sent = SysClient::new(channel).send_message(request).await?;
        check(u64::from(sent.get_ref().actual) == AUDIENCE)
    }

    fn client(&self, worker: usize) -> MessagingClient<Channel> {
        MessagingClient::new(
            self.shared.connections[worker % self.shared.connections.len()].clone(),
        )
    }

    fn request<T>(&self, user: u64, message: T) -> Result<Request<T>, Status> {
        let key: Option<MetadataValue<Ascii>> = self.shared.keys.user(user);
        let mut request = Request::new(message);
        let key = key.ok_or_else(|| Status::internal("a user of another dataset"))?;
        request.metadata_mut().insert("authorization", key);
        if let Some(patience) = self.patience {
            request.set_timeout(patience);
        }
        Ok(request)
    }
}

/// A connection.
///
/// # Errors
/// If nobody answers.
pub async fn connection(address: SocketAddr) -> anyhow::Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
    let connected = endpoint.connect().await;
    connected.with_context(|| format!("nobody answers at {address}"))
}

/// A text as users write it.
pub fn content(text: &str) -> Content {
    let fields = [("text".to_owned(), text.into())].into();
    let json = Value::from(Kind::StructValue(Struct { fields }));
    Content {
        body: Some(Body::Json(json.encode_to_vec().into())),
    }
}

fn check(done: bool) -> Result<(), Status> {
    done.then_some(())
        .ok_or_else(|| Status::internal("the call did something else"))
}
