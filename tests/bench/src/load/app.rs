//! The calls of the app, by the generated client.

use std::net::SocketAddr;

use futures::{StreamExt as _, stream};
use proto::sys::v1 as sys;
use proto::sys::v1::send_to_profiles_request::Piece;
use proto::sys::v1::sys_client::SysClient;
use proto::v1::Sender;
use tonic::Request;
use tonic::transport::Channel;

use crate::load::caller::{connection, content};
use crate::site::dataset::profile;
use crate::site::keys::SignedTokens;

/// Recipients in one message of a stream.
const CHUNK: usize = 5_000;

/// Calls as the app. Clones share their connection.
#[derive(Clone)]
pub struct AppClient {
    channel: Channel,
    keys: SignedTokens,
}

impl AppClient {
    /// Connects to `Sys`.
    ///
    /// # Errors
    /// If nobody answers.
    pub async fn connect(address: SocketAddr, keys: SignedTokens) -> anyhow::Result<Self> {
        let channel = connection(address).await?;
        Ok(Self { channel, keys })
    }

    /// Sends to all; the id.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn send_bulk(&self) -> anyhow::Result<String> {
        let message = sys::SendBulkRequest {
            content: Some(content("The season begins on Monday.")),
            sender: Some(sender()),
            ..Default::default()
        };
        let sent = self.client().send_bulk(self.request(message)).await?;
        Ok(sent.into_inner().message_id)
    }

    /// Sends to these users, in that order.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn send_to_profiles(
        &self,
        users: Vec<u64>,
    ) -> anyhow::Result<sys::SendToProfilesResponse> {
        let message = Piece::Message(sys::SegmentMessage {
            content: Some(content("You are in the final, which begins on Monday.")),
            sender: Some(sender()),
            ..Default::default()
        });
        let chunks = (0..users.len().div_ceil(CHUNK)).map(move |number| {
            let users = users.iter().skip(number * CHUNK).take(CHUNK);
            Piece::Recipients(sys::SegmentRecipients {
                profile_ids: users.copied().map(profile).collect(),
            })
        });
        let pieces = stream::iter([message]).chain(stream::iter(chunks));
        let pieces = pieces.map(|piece| sys::SendToProfilesRequest { piece: Some(piece) });
        let sent = self.client().send_to_profiles(self.request(pieces)).await?;
        Ok(sent.into_inner())
    }

    /// Progress of a send job.
    ///
    /// # Errors
    /// If there is no such job.
    pub async fn job(&self, job_id: String) -> anyhow::Result<sys::GetSendJobResponse> {
        let request = self.request(sys::GetSendJobRequest { job_id });
        let job = self.client().get_send_job(request).await?;
        Ok(job.into_inner())
    }

    /// Updates the content of a message.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn update(&self, message_id: String) -> anyhow::Result<()> {
        let message = sys::UpdateMessageRequest {
            message_id,
            content: Some(content("It begins on Tuesday.")),
            ..Default::default()
        };
        self.client().update_message(self.request(message)).await?;
        Ok(())
    }

    /// Takes a message back.
    ///
    /// # Errors
    /// If it is refused.
    pub async fn delete(&self, message_id: String) -> anyhow::Result<()> {
        let message = sys::DeleteMessageRequest {
            message_id,
            ..Default::default()
        };
        self.client().delete_message(self.request(message)).await?;
        Ok(())
    }

    fn client(&self) -> SysClient<Channel> {
        SysClient::new(self.channel.clone())
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let key = self.keys.app();
        request.metadata_mut().insert("authorization", key);
        request
    }
}

fn sender() -> Sender {
    Sender {
        name: "Tournament".to_owned(),
        ..Default::default()
    }
}
