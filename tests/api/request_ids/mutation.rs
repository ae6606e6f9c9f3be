//! Every method that changes something, callable in two variants.

use std::fmt::Debug;

use futures::stream;
use proto::sys::v1 as sys;
use proto::sys::v1::send_to_profiles_request::Piece;
use proto::v1;
use support::issuer::APP;
use support::service::{InProcessApp, InProcessConversations, InProcessUser, TestService};
use tokio::task::yield_now;
use tonic::{Response, Status};

use crate::api::builders::{deletion, message, news, notice, ok, reason_of, send, strings, text};
use crate::api::conversations::create_conversation::{creation, metadata, separate};

/// A method that takes a `request_id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    SendMessage,
    SendMessageSimple,
    MarkMessagesRead,
    DeleteMessages,
    DeleteForEveryone,
    ClearMessages,
    EditMessage,
    BlockProfile,
    UnblockProfile,
    CreateConversation,
    AddParticipants,
    RemoveParticipants,
    ReplaceParticipants,
    LeaveConversation,
    UpdateConversationMetadata,
    SysSendMessage,
    SysSendMessageSimple,
    SysSendBulk,
    SysSendToProfiles,
    SysCancelSendJob,
    SysUpdateMessage,
    SysDeleteMessage,
    SysDeleteMessages,
    UpdateAppSettings,
    RevokeTokens,
    EraseProfile,
    EraseApp,
}

use Mutation as M;

/// Clients of one user and of the app.
pub struct Callers {
    pub alice: InProcessUser,
    pub conversations: InProcessConversations,
    pub app: InProcessApp,
}

/// Messages of Alice to Bob and to herself that a mutation changes.
pub struct MutationTargets {
    messages: [String; 2],
    /// Jobs that have not delivered anything.
    jobs: [String; 2],
    /// Conversations of Alice with others.
    conversations: [String; 2],
}

impl MutationTargets {
    /// Sends the messages.
    pub async fn furnish(test: &TestService) -> Self {
        let to = ["alice", "bob"];
        Self {
            messages: [
                send(test, "alice", &to).await,
                send(test, "alice", &to).await,
            ],
            jobs: [start_job(test).await, start_job(test).await],
            conversations: [converse(test).await, converse(test).await],
        }
    }

    /// Deletes the messages for all holders.
    pub async fn remove_all(&self, test: &TestService) {
        let request = sys::DeleteMessagesRequest {
            message_ids: strings(&self.messages),
            ..Default::default()
        };
        ok(test.sys().delete_messages(request)).await;
    }
}

/// Creates a conversation.
async fn converse(test: &TestService) -> String {
    let created = separate(test, "alice", &["bob", "carol"]).await;
    created.conversation_id
}

/// Sends to a segment, and returns the job, which never takes a step.
async fn start_job(test: &TestService) -> String {
    let pieces = stream::iter(segment("unsent", String::new()));
    ok(test.sys().send_to_profiles(pieces)).await.job_id
}

/// The pieces of a message to a segment.
pub fn segment(body: &str, request_id: String) -> [sys::SendToProfilesRequest; 2] {
    let message = sys::SegmentMessage {
        content: Some(text(body)),
        sender: Some(news()),
        request_id,
        ..Default::default()
    };
    let recipients = sys::SegmentRecipients {
        profile_ids: strings(&["bob"]),
    };
    [Piece::Message(message), Piece::Recipients(recipients)]
        .map(|piece| sys::SendToProfilesRequest { piece: Some(piece) })
}

/// Sends to a segment, again while the replica receives as many streams as it may.
async fn send_to_segment(
    mut app: InProcessApp,
    pieces: [sys::SendToProfilesRequest; 2],
) -> Result<String, String> {
    loop {
        let pieces = stream::iter(pieces.clone());
        let sent = told(app.send_to_profiles(pieces).await);
        if sent != Err("OVERLOADED".to_owned()) {
            return sent;
        }
        yield_now().await;
    }
}

/// Settings that forbid what can be forbidden.
pub fn strictest() -> sys::AppSettings {
    sys::AppSettings {
        allow_self_send: Some(false),
        max_participants: Some(2),
        allow_edit: Some(false),
        allow_delete_for_everyone: Some(false),
        max_recipients: Some(1),
        max_content_bytes: Some(1),
        ..Default::default()
    }
}

/// A profile without mail, another one for each body.
fn other(body: &str) -> String {
    if body == "a" { "cid" } else { "dan" }.to_owned()
}

fn told<T: Debug>(answer: Result<Response<T>, Status>) -> Result<String, String> {
    answer
        .map(|answer| format!("{:?}", answer.into_inner()))
        .map_err(|status| reason_of(&status))
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 27] = [
        M::SendMessage,
        M::SendMessageSimple,
        M::MarkMessagesRead,
        M::DeleteMessages,
        M::DeleteForEveryone,
        M::ClearMessages,
        M::EditMessage,
        M::BlockProfile,
        M::UnblockProfile,
        M::CreateConversation,
        M::AddParticipants,
        M::RemoveParticipants,
        M::ReplaceParticipants,
        M::LeaveConversation,
        M::UpdateConversationMetadata,
        M::SysSendMessage,
        M::SysSendMessageSimple,
        M::SysSendBulk,
        M::SysSendToProfiles,
        M::SysCancelSendJob,
        M::SysUpdateMessage,
        M::SysDeleteMessage,
        M::SysDeleteMessages,
        M::UpdateAppSettings,
        M::RevokeTokens,
        M::EraseProfile,
        M::EraseApp,
    ];

    /// True for methods of `Messaging` and `Conversations`.
    pub fn is_of_user(self) -> bool {
        Self::ALL[..15].contains(&self)
    }

    fn is_of_conversations(self) -> bool {
        Self::ALL[9..15].contains(&self)
    }

    /// True for methods that send Bob a message.
    pub const fn sends(self) -> bool {
        matches!(
            self,
            M::SendMessage
                | M::SendMessageSimple
                | M::SysSendMessage
                | M::SysSendMessageSimple
                | M::SysSendBulk
        )
    }

    /// True for methods whose request names messages or conversations.
    pub const fn names_messages(self) -> bool {
        !self.sends()
            && !matches!(
                self,
                M::ClearMessages
                    | M::BlockProfile
                    | M::UnblockProfile
                    | M::CreateConversation
                    | M::SysSendToProfiles
                    | M::UpdateAppSettings
                    | M::RevokeTokens
                    | M::EraseProfile
                    | M::EraseApp
            )
    }

    /// The full name of the method.
    pub const fn method(self) -> &'static str {
        match self {
            M::SendMessage => "postroom.v1.Messaging.SendMessage",
            M::SendMessageSimple => "postroom.v1.Messaging.SendMessageSimple",
            M::MarkMessagesRead => "postroom.v1.Messaging.MarkMessagesRead",
            M::DeleteMessages | M::DeleteForEveryone => "postroom.v1.Messaging.DeleteMessages",
            M::ClearMessages => "postroom.v1.Messaging.ClearMessages",
            M::EditMessage => "postroom.v1.Messaging.EditMessage",
            M::BlockProfile => "postroom.v1.Messaging.BlockProfile",
            M::UnblockProfile => "postroom.v1.Messaging.UnblockProfile",
            M::CreateConversation => "postroom.v1.Conversations.CreateConversation",
            M::AddParticipants => "postroom.v1.Conversations.AddParticipants",
            M::RemoveParticipants => "postroom.v1.Conversations.RemoveParticipants",
            M::ReplaceParticipants => "postroom.v1.Conversations.ReplaceParticipants",
            M::LeaveConversation => "postroom.v1.Conversations.LeaveConversation",
            M::UpdateConversationMetadata => "postroom.v1.Conversations.UpdateConversationMetadata",
            M::SysSendMessage => "postroom.sys.v1.Sys.SendMessage",
            M::SysSendMessageSimple => "postroom.sys.v1.Sys.SendMessageSimple",
            M::SysSendBulk => "postroom.sys.v1.Sys.SendBulk",
            M::SysSendToProfiles => "postroom.sys.v1.Sys.SendToProfiles",
            M::SysCancelSendJob => "postroom.sys.v1.Sys.CancelSendJob",
            M::SysUpdateMessage => "postroom.sys.v1.Sys.UpdateMessage",
            M::SysDeleteMessage => "postroom.sys.v1.Sys.DeleteMessage",
            M::SysDeleteMessages => "postroom.sys.v1.Sys.DeleteMessages",
            M::UpdateAppSettings => "postroom.sys.v1.Sys.UpdateAppSettings",
            M::RevokeTokens => "postroom.sys.v1.Sys.RevokeTokens",
            M::EraseProfile => "postroom.sys.v1.Sys.EraseProfile",
            M::EraseApp => "postroom.sys.v1.Sys.EraseApp",
        }
    }

    /// Calls it; the answer, or the reason of the refusal. Two bodies are two requests.
    pub async fn call(
        self,
        callers: &Callers,
        world: &MutationTargets,
        request_id: &str,
        body: &str,
    ) -> Result<String, String> {
        if self.is_of_conversations() {
            let alice = callers.conversations.clone();
            self.call_of_conversations(alice, world, request_id, body)
                .await
        } else if self.is_of_user() {
            self.call_of_user(callers.alice.clone(), world, request_id, body)
                .await
        } else {
            self.call_of_app(callers.app.clone(), world, request_id, body)
                .await
        }
    }

    async fn call_of_user(
        self,
        mut alice: InProcessUser,
        world: &MutationTargets,
        request_id: &str,
        body: &str,
    ) -> Result<String, String> {
        let request_id = request_id.to_owned();
        let to = ["alice", "bob"];
        let named = if body == "a" {
            &world.messages[..1]
        } else {
            &world.messages[..]
        };
        let msgbox = if body == "a" { "inbox" } else { "sent" }.to_owned();
        match self {
            M::SendMessage => {
                let request = v1::SendMessageRequest {
                    request_id,
                    ..message(&to, text(body))
                };
                told(alice.send_message(request).await)
            }
            M::SendMessageSimple => {
                let request = v1::SendMessageSimpleRequest {
                    to: strings(&to),
                    text: body.to_owned(),
                    request_id,
                    expire_after: None,
                };
                told(alice.send_message_simple(request).await)
            }
            M::MarkMessagesRead => {
                let request = v1::MarkMessagesReadRequest {
                    msgbox: "inbox".to_owned(),
                    message_ids: strings(named),
                    unread: false,
                    request_id,
                };
                told(alice.mark_messages_read(request).await)
            }
            M::DeleteMessages | M::DeleteForEveryone => {
                let scope = if self == M::DeleteMessages {
                    v1::DeleteScope::OwnCopy
                } else {
                    v1::DeleteScope::Everyone
                };
                let request = v1::DeleteMessagesRequest {
                    request_id,
                    ..deletion("sent", named, scope)
                };
                told(alice.delete_messages(request).await)
            }
            M::ClearMessages => {
                let request = v1::ClearMessagesRequest { msgbox, request_id };
                told(alice.clear_messages(request).await)
            }
            M::BlockProfile => {
                let request = v1::BlockProfileRequest {
                    profile_id: other(body),
                    request_id,
                };
                told(alice.block_profile(request).await)
            }
            M::UnblockProfile => {
                let request = v1::UnblockProfileRequest {
                    profile_id: other(body),
                    request_id,
                };
                told(alice.unblock_profile(request).await)
            }
            _ => {
                let request = v1::EditMessageRequest {
                    message_id: world.messages[0].clone(),
                    content: Some(text(body)),
                    expected_version: None,
                    request_id,
                };
                told(alice.edit_message(request).await)
            }
        }
    }

    async fn call_of_conversations(
        self,
        mut alice: InProcessConversations,
        world: &MutationTargets,
        request_id: &str,
        body: &str,
    ) -> Result<String, String> {
        let request_id = request_id.to_owned();
        let conversation_id = world.conversations[0].clone();
        match self {
            M::CreateConversation => {
                let request = v1::CreateConversationRequest {
                    request_id,
                    ..creation(&[other(body)])
                };
                told(alice.create_conversation(request).await)
            }
            M::AddParticipants => {
                let request = v1::AddParticipantsRequest {
                    conversation_id,
                    participants: vec![other(body)],
                    request_id,
                };
                told(alice.add_participants(request).await)
            }
            M::RemoveParticipants => {
                let request = v1::RemoveParticipantsRequest {
                    conversation_id,
                    participants: strings(&[if body == "a" { "bob" } else { "carol" }]),
                    request_id,
                };
                told(alice.remove_participants(request).await)
            }
            M::ReplaceParticipants => {
                let request = v1::ReplaceParticipantsRequest {
                    conversation_id,
                    participants: vec![other(body)],
                    request_id,
                };
                told(alice.replace_participants(request).await)
            }
            M::LeaveConversation => {
                let request = v1::LeaveConversationRequest {
                    conversation_id: world.conversations[usize::from(body == "b")].clone(),
                    request_id,
                };
                told(alice.leave_conversation(request).await)
            }
            _ => {
                let request = v1::UpdateConversationMetadataRequest {
                    conversation_id,
                    set: metadata([("body", body)]),
                    request_id,
                    ..Default::default()
                };
                told(alice.update_conversation_metadata(request).await)
            }
        }
    }

    async fn call_of_app(
        self,
        mut app: InProcessApp,
        world: &MutationTargets,
        request_id: &str,
        body: &str,
    ) -> Result<String, String> {
        let request_id = request_id.to_owned();
        let message_id = world.messages[usize::from(body == "b")].clone();
        match self {
            M::SysSendMessage => {
                let request = sys::SendMessageRequest {
                    request_id,
                    ..notice(&["bob"], text(body))
                };
                told(app.send_message(request).await)
            }
            M::SysSendMessageSimple => {
                let request = sys::SendMessageSimpleRequest {
                    to: strings(&["bob"]),
                    text: body.to_owned(),
                    sender: Some(news()),
                    request_id,
                    ..Default::default()
                };
                told(app.send_message_simple(request).await)
            }
            M::SysSendBulk => {
                let request = sys::SendBulkRequest {
                    content: Some(text(body)),
                    sender: Some(news()),
                    request_id,
                    ..Default::default()
                };
                told(app.send_bulk(request).await)
            }
            M::SysSendToProfiles => send_to_segment(app, segment(body, request_id)).await,
            M::SysCancelSendJob => {
                let request = sys::CancelSendJobRequest {
                    job_id: world.jobs[usize::from(body == "b")].clone(),
                    request_id,
                };
                told(app.cancel_send_job(request).await)
            }
            M::SysUpdateMessage => {
                let request = sys::UpdateMessageRequest {
                    message_id,
                    content: Some(text("new")),
                    expected_version: None,
                    request_id,
                };
                told(app.update_message(request).await)
            }
            M::SysDeleteMessage => {
                let request = sys::DeleteMessageRequest {
                    message_id,
                    expected_version: None,
                    request_id,
                };
                told(app.delete_message(request).await)
            }
            M::SysDeleteMessages => {
                let request = sys::DeleteMessagesRequest {
                    message_ids: vec![message_id],
                    request_id,
                };
                told(app.delete_messages(request).await)
            }
            M::RevokeTokens => {
                let request = sys::RevokeTokensRequest {
                    profile_id: other(body),
                    before: None,
                    request_id,
                };
                told(app.revoke_tokens(request).await)
            }
            M::EraseProfile => {
                let request = sys::EraseProfileRequest {
                    profile_id: if body == "a" { "cid" } else { "dan" }.to_owned(),
                    request_id,
                };
                told(app.erase_profile(request).await)
            }
            M::EraseApp => {
                let request = sys::EraseAppRequest {
                    app_id: APP.to_owned(),
                    cancel: body == "b",
                    request_id,
                };
                told(app.erase_app(request).await)
            }
            _ => {
                let settings = sys::AppSettings {
                    max_recipients: Some(if body == "a" { 99 } else { 98 }),
                    ..Default::default()
                };
                let request = sys::UpdateAppSettingsRequest {
                    settings: Some(settings),
                    expected_version: None,
                    request_id,
                };
                told(app.update_app_settings(request).await)
            }
        }
    }
}
