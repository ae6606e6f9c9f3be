//! Random actions of all kinds.

use bytes::Bytes;
use domain::content::{Body, Part};
use domain::limits::{DAY_MS, HOUR_MS};
use domain::operation::{
    BlockProfile, ClearMessages, CreateMailbox, DeleteEntries, DeleteForEveryone, DeleteMessage,
    DeleteMessages, EditMessage, MarkMessagesDelivered, MarkMessagesRead, NamedEntries, SendBulk,
    UnblockProfile, UpdateAppSettings, UpdateMessage,
};
use domain::{
    Action, AppId, Audience, Content, Draft, Msgbox, QuotaOverrides, Sender, Settings, Violations,
};
use prost::Message as _;

use super::Generator;
use crate::api::builders::{json, parts};
use crate::model::reference::{ReferenceAction, ReferenceMessage};

/// Letters that take more than 32 KiB and less than 64, at 1.7 bytes each on average.
const LARGE_LETTERS: u64 = 25_000;

impl Generator {
    pub(super) fn action(&mut self, app: &AppId) -> ReferenceAction {
        match self.number(1..=100) {
            1..=38 => ReferenceAction::Send(self.message(app)),
            39..=42 => ReferenceAction::Act(Action::SendBulk(self.announcement())),
            choice => ReferenceAction::Act(self.other_action(app, choice)),
        }
    }

    fn other_action(&mut self, app: &AppId, choice: u64) -> Action {
        let (message_id, owner) = self.message_and_owner(app);
        let msgbox = self.msgbox();
        match choice {
            ..=53 => Action::MarkMessagesRead(MarkMessagesRead {
                entries: NamedEntries::new(owner, msgbox, self.some_messages(app, message_id)),
                read: !self.one_in(3),
            }),
            54..=57 => Action::MarkMessagesDelivered(MarkMessagesDelivered::new(
                owner,
                self.some_messages(app, message_id),
            )),
            58..=67 => Action::DeleteEntries(DeleteEntries(NamedEntries::new(
                owner,
                msgbox,
                self.some_messages(app, message_id),
            ))),
            68..=69 => Action::ClearMessages(ClearMessages::new(owner, msgbox)),
            70..=76 => {
                let message_ids = self.some_messages(app, message_id);
                DeleteForEveryone::new(owner, msgbox, message_ids).into()
            }
            77..=84 => Action::EditMessage(EditMessage {
                owner,
                message_id,
                content: self.edited_content(),
                expected_version: self.version(),
            }),
            85..=90 => Action::UpdateMessage(UpdateMessage {
                message_id,
                content: self.content(),
                expected_version: self.version(),
            }),
            91..=93 => Action::DeleteMessage(DeleteMessage {
                message_id,
                expected_version: self.version(),
            }),
            94..=95 => DeleteMessages::new(self.some_messages(app, message_id)).into(),
            96..=98 => Action::UpdateAppSettings(UpdateAppSettings {
                settings: self.settings(),
                expected_version: self.version(),
            }),
            99 => Action::CreateMailbox(CreateMailbox { owner }),
            _ => self.block(app),
        }
    }

    /// Blocks come and go as often, between few profiles.
    fn block(&mut self, app: &AppId) -> Action {
        let profiles = self.mailboxes(app);
        let (owner, profile_id) = (profiles[0].clone(), self.one_of(&profiles[1..4]));
        let (owner, profile_id) = if self.one_in(2) {
            (owner, profile_id)
        } else {
            (profile_id, owner)
        };
        if self.one_in(2) {
            Action::BlockProfile(BlockProfile { owner, profile_id })
        } else {
            Action::UnblockProfile(UnblockProfile { owner, profile_id })
        }
    }

    fn announcement(&mut self) -> SendBulk {
        let sender = Sender {
            profile_id: None,
            name: self.one_of(&["News", "Olds"]).to_owned(),
            pic: String::new(),
        };
        let mut draft = Draft::new(sender, self.content());
        let audience = self.one_of(&[Audience::Existing, Audience::Everyone]);
        draft.lifetime_ms = self.lifetime_ms();
        SendBulk { draft, audience }
    }

    /// Lifetime in milliseconds, short enough for messages to expire during the run.
    fn lifetime_ms(&mut self) -> Option<i64> {
        self.maybe(3, |generator| {
            let max = generator.one_of(&[1_000, 20_000, 2 * DAY_MS]);
            generator.number(1..=max.cast_unsigned()).cast_signed()
        })
    }

    fn message(&mut self, app: &AppId) -> ReferenceMessage {
        let by_the_app = self.one_in(5);
        let profiles = self.mailboxes(app);
        let recipients = self.number(1..=6);
        let sender = Sender {
            profile_id: (!by_the_app).then(|| self.one_of(&profiles)),
            name: self.one_of(&["", "Ann", "\"Zoë\" \\ {1}\n"]).to_owned(),
            pic: self.one_of(&["", "https://pics.example/1.png"]).to_owned(),
        };
        let to = (0..recipients).map(|_| self.one_of(&profiles)).collect();
        let draft = Draft {
            sender,
            content: self.content(),
            notification: self.maybe(6, |_| Bytes::from_static(b"\0ding\xff")),
            lifetime_ms: self.lifetime_ms(),
        };
        ReferenceMessage { draft, to }
    }

    /// A content, sometimes one that is larger than the default policy permits.
    fn edited_content(&mut self) -> Content {
        if self.one_in(2) {
            self.content_of(LARGE_LETTERS)
        } else {
            self.content()
        }
    }

    fn content(&mut self) -> Content {
        let length = self.number(1..=120);
        self.content_of(length)
    }

    fn content_of(&mut self, length: u64) -> Content {
        let letters: String = (0..length)
            .map(|_| self.one_of(&['a', 'b', 'ß', '"', '7', '\u{1F4EE}']))
            .collect();
        let (body, shown) = if self.one_in(4) {
            let shown = [("text/plain", letters.as_bytes())];
            let part = Part {
                mime_type: "text/plain".to_owned(),
                body: letters.clone().into(),
            };
            (Body::Parts(vec![part]), parts(&shown))
        } else {
            let shown = json(letters.as_str().into());
            (Body::Json(letters.into()), shown)
        };
        let encoded = Bytes::from(shown.encode_to_vec());
        let mut violations = Violations::none();
        Content::parse(&body, encoded, "content", &mut violations).expect("a content")
    }

    fn settings(&mut self) -> Settings {
        let switch = |generator: &mut Self| generator.maybe(2, |generator| !generator.one_in(3));
        Settings {
            version: 1,
            allow_self_send: switch(self),
            allow_unknown_recipients: switch(self),
            allow_edit: switch(self),
            allow_delete_for_everyone: switch(self),
            recipients_may_delete_for_everyone: switch(self),
            max_recipients: self.maybe(3, |generator| generator.one_of(&[2, 4, 6])),
            max_content_bytes: self.maybe(3, |generator| generator.one_of(&[90, 180, 500])),
            default_expiry_ms: self.maybe(3, |generator| generator.one_of(&[1, HOUR_MS, DAY_MS])),
            max_expiry_ms: self.maybe(3, |generator| generator.one_of(&[HOUR_MS, 3 * DAY_MS])),
            keep_for_moderation_ms: None,
            app_reserve_percent: self.maybe(3, |generator| generator.one_of(&[0, 20, 50])),
            max_unread_per_sender: self.maybe(3, |generator| generator.one_of(&[0, 1, 3])),
            max_participants: None,
            // They bind callers, and no operation.
            quotas: QuotaOverrides::default(),
        }
    }

    fn msgbox(&mut self) -> Msgbox {
        if self.one_in(2) {
            Msgbox::Sent
        } else {
            Msgbox::Inbox
        }
    }

    fn version(&mut self) -> Option<i64> {
        self.maybe(2, |generator| generator.one_of(&[1, 1, 2, 3]))
    }
}
