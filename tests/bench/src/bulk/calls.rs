//! The calls, by the generated clients.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use anyhow::Context as _;
use proto::v1::messaging_client::MessagingClient;
use proto::v1::{GetMessageCountsRequest, GetMessagesPageRequest};
use tonic::Request;
use tonic::transport::Channel;

use crate::load::app::AppClient;
use crate::load::caller::connection;
use crate::site::keys::SignedTokens;

/// Connections that the users share.
const CONNECTIONS: u64 = 8;

/// Calls as the app and as its users. Clones share their connections.
#[derive(Clone)]
pub struct BulkCalls {
    users: Vec<Channel>,
    pub app: AppClient,
    keys: SignedTokens,
}

impl BulkCalls {
    pub async fn connect(
        user: SocketAddr,
        app: SocketAddr,
        keys: SignedTokens,
    ) -> anyhow::Result<Self> {
        let mut users = Vec::new();
        for _ in 0..CONNECTIONS {
            users.push(connection(user).await?);
        }
        Ok(Self {
            users,
            app: AppClient::connect(app, keys.clone()).await?,
            keys,
        })
    }

    /// Messages in a user's inbox, and unread ones of them.
    pub async fn counts(&self, user: u64) -> anyhow::Result<(u32, u32)> {
        let request = self.of_user(user, GetMessageCountsRequest {})?;
        let counts = self.user(user).get_message_counts(request).await?;
        let boxes = counts.into_inner().boxes;
        let inbox = boxes.iter().find(|msgbox| msgbox.name == "inbox");
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

    fn user(&self, user: u64) -> MessagingClient<Channel> {
        let channel = usize::try_from(user % CONNECTIONS).unwrap_or(0);
        MessagingClient::new(self.users[channel].clone())
    }

    fn of_user<T>(&self, user: u64, message: T) -> anyhow::Result<Request<T>> {
        let mut request = Request::new(message);
        let key = self.keys.user(user).context("a user without a token")?;
        request.metadata_mut().insert("authorization", key);
        Ok(request)
    }
}
