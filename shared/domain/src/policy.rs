//! Policy of an app: the service's defaults, and the app's overrides.

use serde::{Deserialize, Serialize};

use crate::expiry;
use crate::limits::{
    APP_RESERVE_PERCENT_DEFAULT, APP_RESERVE_PERCENT_MAX, BOX_MESSAGES_DEFAULT, CONTENT_BYTES_CAP,
    CONTENT_BYTES_DEFAULT, DAY_MS, EXPIRY_DEFAULT_MS, KEEP_FOR_MODERATION_MAX_MS, PARTICIPANTS_CAP,
    PARTICIPANTS_DEFAULT, RECIPIENTS_CAP, RECIPIENTS_DEFAULT, UNREAD_PER_SENDER_DEFAULT,
    UNREAD_PER_SENDER_MAX, USER_EXPIRY_DEFAULT_MS,
};
use crate::quota::{QuotaOverrides, Quotas, lesser_limit};
use crate::violation::Violations;

/// The rules in force for an app.
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Users may write to themselves.
    pub allow_self_send: bool,
    /// Users may write to profiles that have never called, and that the app has never named.
    pub allow_unknown_recipients: bool,
    /// Senders may edit what they sent.
    pub allow_edit: bool,
    /// Senders may delete what they sent from everyone's boxes.
    pub allow_delete_for_everyone: bool,
    /// Recipients may delete what they received from everyone's boxes.
    pub recipients_may_delete_for_everyone: bool,
    /// Recipients of one message of a user.
    pub max_recipients: u32,
    /// Bytes of a content.
    pub max_content_bytes: u32,
    /// Milliseconds that a message lives if its sender does not say.
    pub default_expiry_ms: i64,
    /// Maximum lifetime of a user's message in milliseconds.
    pub max_expiry_ms: i64,
    /// Milliseconds for which the app can read a message that all of its holders have deleted.
    pub keep_for_moderation_ms: i64,
    /// Messages that a box holds.
    pub max_box_messages: u32,
    /// Percentage of an inbox that users' messages leave free for those of the app.
    pub app_reserve_percent: u32,
    /// Unread messages of one sender in one inbox; 0: no limit.
    pub max_unread_per_sender: u32,
    /// Participants of a conversation.
    pub max_participants: u32,
    /// Quotas of callers and apps.
    pub quotas: Quotas,
    /// Bounds that no settings of an app exceed.
    pub ceiling: PolicyCeiling,
}

/// The operator's bounds of what apps set. Absent: none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyCeiling {
    /// Ceiling of [`Policy::max_recipients`].
    pub max_recipients: Option<u32>,
    /// Ceiling of [`Policy::max_content_bytes`].
    pub max_content_bytes: Option<u32>,
    /// Ceiling of [`Policy::max_expiry_ms`].
    pub max_expiry_ms: Option<i64>,
    /// Ceiling of [`Policy::max_unread_per_sender`].
    pub max_unread_per_sender: Option<u32>,
    /// Ceiling of [`Policy::quotas`].
    pub quotas: QuotaOverrides,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            allow_self_send: true,
            allow_unknown_recipients: true,
            allow_edit: true,
            allow_delete_for_everyone: true,
            recipients_may_delete_for_everyone: false,
            max_recipients: RECIPIENTS_DEFAULT,
            max_content_bytes: CONTENT_BYTES_DEFAULT,
            default_expiry_ms: EXPIRY_DEFAULT_MS,
            max_expiry_ms: USER_EXPIRY_DEFAULT_MS,
            keep_for_moderation_ms: 0,
            max_box_messages: BOX_MESSAGES_DEFAULT,
            app_reserve_percent: APP_RESERVE_PERCENT_DEFAULT,
            max_unread_per_sender: UNREAD_PER_SENDER_DEFAULT,
            max_participants: PARTICIPANTS_DEFAULT,
            quotas: Quotas::default(),
            ceiling: PolicyCeiling::default(),
        }
    }
}

impl Policy {
    /// Returns the number of messages up to which an inbox takes further ones: of the app, or of
    /// users, who leave it its reserve.
    #[must_use]
    pub fn inbox_room(&self, is_from_app: bool) -> i64 {
        let room = i64::from(self.max_box_messages);
        if is_from_app {
            return room;
        }
        room - room * i64::from(self.app_reserve_percent) / 100
    }

    /// Returns the lesser of this policy and of its ceiling.
    fn bounded(self) -> Self {
        let ceiling = &self.ceiling;
        let lesser = |limit: u32, ceiling: Option<u32>| limit.min(ceiling.unwrap_or(limit));
        let max_expiry_ms = ceiling.max_expiry_ms.unwrap_or(self.max_expiry_ms);
        Self {
            max_recipients: lesser(self.max_recipients, ceiling.max_recipients),
            max_content_bytes: lesser(self.max_content_bytes, ceiling.max_content_bytes),
            max_expiry_ms: self.max_expiry_ms.min(max_expiry_ms),
            max_unread_per_sender: lesser_limit(
                self.max_unread_per_sender,
                ceiling.max_unread_per_sender,
            ),
            quotas: self.quotas.at_most(&ceiling.quotas),
            ..self
        }
    }

    /// Number of unread entries from which on those that come to an inbox note their sender: half
    /// of what one sender may have there. None without a limit.
    #[must_use]
    pub const fn senders_noted_from(&self) -> Option<i64> {
        match self.max_unread_per_sender {
            0 => None,
            max => Some((max / 2) as i64),
        }
    }

    /// Returns the lifetime of a message in milliseconds, whose sender named that one.
    #[must_use]
    pub fn lifetime_ms(&self, named_ms: Option<i64>, is_from_app: bool) -> i64 {
        let lifetime_ms = named_ms.unwrap_or(self.default_expiry_ms);
        if is_from_app {
            lifetime_ms
        } else {
            lifetime_ms.min(self.max_expiry_ms)
        }
    }
}

/// Overrides of an app, with their version. Absent: the default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// From 1, for an app that never changed anything; grows with every change.
    pub version: i64,
    /// See [`Policy::allow_self_send`].
    pub allow_self_send: Option<bool>,
    /// See [`Policy::allow_unknown_recipients`].
    pub allow_unknown_recipients: Option<bool>,
    /// See [`Policy::allow_edit`].
    pub allow_edit: Option<bool>,
    /// See [`Policy::allow_delete_for_everyone`].
    pub allow_delete_for_everyone: Option<bool>,
    /// See [`Policy::recipients_may_delete_for_everyone`].
    pub recipients_may_delete_for_everyone: Option<bool>,
    /// See [`Policy::max_recipients`].
    pub max_recipients: Option<u32>,
    /// See [`Policy::max_content_bytes`].
    pub max_content_bytes: Option<u32>,
    /// See [`Policy::default_expiry_ms`].
    pub default_expiry_ms: Option<i64>,
    /// See [`Policy::max_expiry_ms`].
    pub max_expiry_ms: Option<i64>,
    /// See [`Policy::keep_for_moderation_ms`].
    pub keep_for_moderation_ms: Option<i64>,
    /// See [`Policy::app_reserve_percent`].
    pub app_reserve_percent: Option<u32>,
    /// See [`Policy::max_unread_per_sender`].
    pub max_unread_per_sender: Option<u32>,
    /// See [`Policy::max_participants`].
    pub max_participants: Option<u32>,
    /// See [`Policy::quotas`].
    pub quotas: QuotaOverrides,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: 1,
            allow_self_send: None,
            allow_unknown_recipients: None,
            allow_edit: None,
            allow_delete_for_everyone: None,
            recipients_may_delete_for_everyone: None,
            max_recipients: None,
            max_content_bytes: None,
            default_expiry_ms: None,
            max_expiry_ms: None,
            keep_for_moderation_ms: None,
            app_reserve_percent: None,
            max_unread_per_sender: None,
            max_participants: None,
            quotas: QuotaOverrides::default(),
        }
    }
}

impl Settings {
    /// Collects what is outside the caps; `field` is the settings' path in the request.
    pub fn check(&self, field: &str, violations: &mut Violations) {
        let recipients = 1..=RECIPIENTS_CAP;
        if self
            .max_recipients
            .is_some_and(|max| !recipients.contains(&(max as usize)))
        {
            violations.invalid(
                format!("{field}.max_recipients"),
                format!("must be 1 to {RECIPIENTS_CAP}"),
            );
        }
        let bytes = 1..=CONTENT_BYTES_CAP;
        if self
            .max_content_bytes
            .is_some_and(|max| !bytes.contains(&(max as usize)))
        {
            violations.invalid(
                format!("{field}.max_content_bytes"),
                format!("must be 1 to {CONTENT_BYTES_CAP} bytes"),
            );
        }
        for (lifetime_ms, name) in [
            (self.default_expiry_ms, "default_expiry"),
            (self.max_expiry_ms, "max_expiry"),
        ] {
            if lifetime_ms.is_some_and(|ms| !expiry::is_lifetime(ms)) {
                violations.invalid(
                    format!("{field}.{name}"),
                    "must be more than 0 and at most 10 years",
                );
            }
        }
        let kept = 0..=KEEP_FOR_MODERATION_MAX_MS;
        if self
            .keep_for_moderation_ms
            .is_some_and(|ms| !kept.contains(&ms))
        {
            violations.invalid(
                format!("{field}.keep_for_moderation"),
                format!("must be 0 to {} days", KEEP_FOR_MODERATION_MAX_MS / DAY_MS),
            );
        }
        for (number, max, name) in [
            (
                self.app_reserve_percent,
                APP_RESERVE_PERCENT_MAX,
                "app_reserve_percent",
            ),
            (
                self.max_unread_per_sender,
                UNREAD_PER_SENDER_MAX,
                "max_unread_per_sender",
            ),
        ] {
            if number.is_some_and(|number| number > max) {
                violations.invalid(format!("{field}.{name}"), format!("must be 0 to {max}"));
            }
        }
        let participants = 2..=PARTICIPANTS_CAP;
        if self
            .max_participants
            .is_some_and(|max| !participants.contains(&max))
        {
            violations.invalid(
                format!("{field}.max_participants"),
                format!("must be 2 to {PARTICIPANTS_CAP}"),
            );
        }
        self.quotas.check(field, violations);
    }

    /// The rules in force where these settings override those defaults, up to their ceiling.
    #[must_use]
    pub fn over(&self, defaults: &Policy) -> Policy {
        let policy = Policy {
            allow_self_send: self.allow_self_send.unwrap_or(defaults.allow_self_send),
            allow_unknown_recipients: self
                .allow_unknown_recipients
                .unwrap_or(defaults.allow_unknown_recipients),
            allow_edit: self.allow_edit.unwrap_or(defaults.allow_edit),
            allow_delete_for_everyone: self
                .allow_delete_for_everyone
                .unwrap_or(defaults.allow_delete_for_everyone),
            recipients_may_delete_for_everyone: self
                .recipients_may_delete_for_everyone
                .unwrap_or(defaults.recipients_may_delete_for_everyone),
            max_recipients: self.max_recipients.unwrap_or(defaults.max_recipients),
            max_content_bytes: self.max_content_bytes.unwrap_or(defaults.max_content_bytes),
            default_expiry_ms: self.default_expiry_ms.unwrap_or(defaults.default_expiry_ms),
            max_expiry_ms: self.max_expiry_ms.unwrap_or(defaults.max_expiry_ms),
            keep_for_moderation_ms: self
                .keep_for_moderation_ms
                .unwrap_or(defaults.keep_for_moderation_ms),
            max_box_messages: defaults.max_box_messages,
            app_reserve_percent: self
                .app_reserve_percent
                .unwrap_or(defaults.app_reserve_percent),
            max_unread_per_sender: self
                .max_unread_per_sender
                .unwrap_or(defaults.max_unread_per_sender),
            max_participants: self.max_participants.unwrap_or(defaults.max_participants),
            quotas: self.quotas.over(&defaults.quotas),
            ceiling: defaults.ceiling.clone(),
        };
        policy.bounded()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::DAY_MS;
    use crate::quota::RateOverride;
    use crate::rate::Rate;

    #[test]
    fn no_settings_exceed_the_ceiling() {
        let ceiling = PolicyCeiling {
            max_recipients: Some(50),
            max_content_bytes: Some(1_000),
            max_expiry_ms: Some(DAY_MS),
            max_unread_per_sender: Some(9),
            quotas: QuotaOverrides {
                profile_calls: RateOverride {
                    per_second: Some(20),
                    burst: Some(30),
                },
                ..QuotaOverrides::default()
            },
        };
        let defaults = Policy {
            max_content_bytes: 500,
            ceiling,
            ..Policy::default()
        };
        let settings = Settings {
            max_recipients: Some(500),
            max_expiry_ms: Some(2 * DAY_MS),
            max_unread_per_sender: Some(0),
            quotas: QuotaOverrides {
                profile_calls: RateOverride {
                    per_second: Some(0),
                    burst: Some(1_000_000),
                },
                ..QuotaOverrides::default()
            },
            ..Settings::default()
        };
        let policy = settings.over(&defaults);
        assert_eq!(policy.max_recipients, 50);
        assert_eq!(policy.max_content_bytes, 500);
        assert_eq!(policy.max_expiry_ms, DAY_MS);
        assert_eq!(policy.max_unread_per_sender, 9);
        let bounded = Rate {
            per_second: 20,
            burst: 30,
        };
        assert_eq!(policy.quotas.profile_calls, bounded);
        assert_eq!(policy.quotas.app_sends, defaults.quotas.app_sends);
        let strict = Settings {
            max_recipients: Some(3),
            ..Settings::default()
        };
        assert_eq!(strict.over(&defaults).max_recipients, 3);
    }
}
