//! The calls, by the generated clients.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use anyhow::Context as _;
use proto::sys::v1 as sys;
use proto::sys::v1::sys_client::SysClient;
use proto::v1::messaging_client::MessagingClient;
use proto::v1::{GetMessageCountsRequest, GetMessagesPageRequest, Sender};
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

use crate::load::caller::content;
use crate::site::keys::Keys;

/// Connections that the users share.
const CONNECTIONS: u64 = 8;

/// Calls as the app and as its users. Clones share their connections.
#[derive(Clone)]
pub struct Calls {
    users: Vec<Channel>,
    app: Channel,
    keys: Keys,
}

impl Calls {
    pub async fn connect(user: SocketAddr, app: SocketAddr, keys: Keys) -> anyhow::Result<Self> {
        let connect = async |address: SocketAddr| {
            let endpoint = Endpoint::from_shared(format!("http://{address}"))?;
            let channel = endpoint.connect().await;
            channel.with_context(|| format!("nobody answers at {address}"))
        };
        let mut users = Vec::new();
        for _ in 0..CONNECTIONS {
            users.push(connect(user).await?);
        }
        Ok(Self {
            users,
            app: connect(app).await?,
            keys,
        })
    }

    /// Sends to all; the id.
    pub async fn send(&self) -> anyhow::Result<String> {
        let message = sys::SendBulkRequest {
            content: Some(content("The season begins on Monday.")),
            from: Some(Sender {
                name: "Tournament".to_owned(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let sent = self.app().send_bulk(self.of_app(message)).await?;
        Ok(sent.into_inner().message_id)
    }

    pub async fn update(&self, message_id: String) -> anyhow::Result<()> {
        let message = sys::UpdateMessageRequest {
            message_id,
            content: Some(content("The season begins on Tuesday.")),
            ..Default::default()
        };
        self.app().update_message(self.of_app(message)).await?;
        Ok(())
    }

    pub async fn delete(&self, message_id: String) -> anyhow::Result<()> {
        let message = sys::DeleteMessageRequest {
            message_id,
            ..Default::default()
        };
        self.app().delete_message(self.of_app(message)).await?;
        Ok(())
    }

    /// Messages in a user's inbox, and unread ones of them.
    pub async fn counts(&self, user: u64) -> anyhow::Result<(u32, u32)> {
        let request = self.of_user(user, GetMessageCountsRequest {})?;
        let counts = self.user(user).get_message_counts(request).await?;
        let inbox = counts.into_inner().counts.remove("inbox");
        let inbox = inbox.context("an inbox")?;
        Ok((inbox.total, inbox.unread))
    }

    /// The messages on the first page of a user's boxes, each once.
    pub async fn page(&self, user: u64) -> anyhow::Result<BTreeSet<String>> {
        let request = self.of_user(user, GetMessagesPageRequest::default())?;
        let page = self.user(user).get_messages_page(request).await?;
        let items = page.into_inner().results.context("a page")?.items;
        let count = items.len();
        let ids: BTreeSet<String> = items.into_iter().map(|item| item.message_id).collect();
        anyhow::ensure!(ids.len() == count, "user {user} sees a message twice");
        Ok(ids)
    }

    fn app(&self) -> SysClient<Channel> {
        SysClient::new(self.app.clone())
    }

    fn user(&self, user: u64) -> MessagingClient<Channel> {
        let channel = usize::try_from(user % CONNECTIONS).unwrap_or(0);
        MessagingClient::new(self.users[channel].clone())
    }

    fn of_app<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let key = self.keys.app();
        request.metadata_mut().insert("authorization", key);
        request
    }

    fn of_user<T>(&self, user: u64, message: T) -> anyhow::Result<Request<T>> {
        let mut request = Request::new(message);
        let key = self.keys.user(user).context("a user without a token")?;
        request.metadata_mut().insert("authorization", key);
        Ok(request)
    }
}
