//! Policy of apps that have not set their own.

use domain::limits::{
    APP_RESERVE_PERCENT_MAX, CONTENT_BYTES_CAP, PARTICIPANTS_CAP, RECIPIENTS_CAP,
    UNREAD_PER_SENDER_MAX,
};
use domain::{Policy, PolicyCeiling};
use serde::Deserialize;

use super::{Bounded, KeepTime, Lifetime, QuotaDefaults};

#[expect(clippy::cast_possible_truncation, reason = "500 fits")]
const RECIPIENTS: u32 = RECIPIENTS_CAP as u32;
#[expect(clippy::cast_possible_truncation, reason = "64 KiB fit")]
const CONTENT_BYTES: u32 = CONTENT_BYTES_CAP as u32;

/// Defaults of [`Policy`]; `UpdateAppSettings` overrides them for an app.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct PolicyDefaults {
    /// Permits users to write to themselves. Default true.
    pub allow_self_send: bool,
    /// Permits users to write to profiles that have never called, and that the app has never
    /// named. Default true.
    pub allow_unknown_recipients: bool,
    /// Permits senders to edit their messages. Default true.
    pub allow_edit: bool,
    /// Permits senders to delete their messages from all boxes. Default true.
    pub allow_delete_for_everyone: bool,
    /// Permits recipients to delete received messages from all boxes. Default false.
    pub recipients_may_delete_for_everyone: bool,
    /// Maximum number of recipients of a user's message. Default 100.
    pub max_recipients: Bounded<1, RECIPIENTS>,
    /// Maximum size of a content, in bytes. Default 32768.
    pub max_content_bytes: Bounded<1, CONTENT_BYTES>,
    /// Lifetime of messages sent without one. Default 30 days.
    pub default_expiry: Lifetime,
    /// Maximum lifetime of a user's message. Default 30 days.
    pub max_expiry: Lifetime,
    /// Time for which the app can read a message that all of its holders have deleted. Default 0.
    pub keep_for_moderation: KeepTime,
    /// Maximum number of messages in a box. Default 10000.
    pub max_box_messages: Bounded<1, 1_000_000>,
    /// Percentage of an inbox that users' messages leave free for those of the app. Default 10.
    pub app_reserve_percent: Bounded<0, APP_RESERVE_PERCENT_MAX>,
    /// Maximum number of unread messages of one user in an inbox; 0 means no limit. Default 200.
    pub max_unread_per_sender: Bounded<0, UNREAD_PER_SENDER_MAX>,
    /// Maximum number of participants of a conversation. Default 25.
    pub max_participants: Bounded<2, PARTICIPANTS_CAP>,
    /// Ceiling of what apps set. Default: none.
    pub max: PolicyMax,
}

/// Ceiling of the policy in force, whatever the settings of an app say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_field_names, reason = "the names of the keys")]
pub struct PolicyMax {
    /// Ceiling of [`PolicyDefaults::max_recipients`].
    pub max_recipients: Option<Bounded<1, RECIPIENTS>>,
    /// Ceiling of [`PolicyDefaults::max_content_bytes`].
    pub max_content_bytes: Option<Bounded<1, CONTENT_BYTES>>,
    /// Ceiling of [`PolicyDefaults::max_expiry`].
    pub max_expiry: Option<Lifetime>,
    /// Ceiling of [`PolicyDefaults::max_unread_per_sender`].
    pub max_unread_per_sender: Option<Bounded<1, UNREAD_PER_SENDER_MAX>>,
}

impl Default for PolicyDefaults {
    fn default() -> Self {
        Self {
            allow_self_send: true,
            allow_unknown_recipients: true,
            allow_edit: true,
            allow_delete_for_everyone: true,
            recipients_may_delete_for_everyone: false,
            max_recipients: Bounded::new::<100>(),
            max_content_bytes: Bounded::new::<{ 32 * 1024 }>(),
            default_expiry: Lifetime::from_days(30),
            max_expiry: Lifetime::from_days(30),
            keep_for_moderation: KeepTime::default(),
            max_box_messages: Bounded::new::<10_000>(),
            app_reserve_percent: Bounded::new::<10>(),
            max_unread_per_sender: Bounded::new::<200>(),
            max_participants: Bounded::new::<25>(),
            max: PolicyMax::default(),
        }
    }
}

impl PolicyDefaults {
    /// Policy with these values and `quotas`, which have a section of their own.
    pub fn to_policy(&self, quotas: &QuotaDefaults) -> Policy {
        Policy {
            allow_self_send: self.allow_self_send,
            allow_unknown_recipients: self.allow_unknown_recipients,
            allow_edit: self.allow_edit,
            allow_delete_for_everyone: self.allow_delete_for_everyone,
            recipients_may_delete_for_everyone: self.recipients_may_delete_for_everyone,
            max_recipients: self.max_recipients.get(),
            max_content_bytes: self.max_content_bytes.get(),
            default_expiry_ms: self.default_expiry.ms(),
            max_expiry_ms: self.max_expiry.ms(),
            keep_for_moderation_ms: self.keep_for_moderation.ms(),
            max_box_messages: self.max_box_messages.get(),
            app_reserve_percent: self.app_reserve_percent.get(),
            max_unread_per_sender: self.max_unread_per_sender.get(),
            max_participants: self.max_participants.get(),
            quotas: quotas.to_quotas(),
            ceiling: PolicyCeiling {
                max_recipients: self.max.max_recipients.map(Bounded::get),
                max_content_bytes: self.max.max_content_bytes.map(Bounded::get),
                max_expiry_ms: self.max.max_expiry.map(Lifetime::ms),
                max_unread_per_sender: self.max.max_unread_per_sender.map(Bounded::get),
                quotas: quotas.max.to_ceiling(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::Settings;

    use super::*;

    #[test]
    fn the_default_policy_equals_that_of_the_domain() {
        let policy = PolicyDefaults::default().to_policy(&QuotaDefaults::default());
        assert_eq!(policy, Policy::default());
    }

    #[test]
    fn the_ceiling_of_the_quotas_is_part_of_the_policy() {
        let mut quotas = QuotaDefaults::default();
        quotas.max.app_mailboxes = Some(Bounded::new::<7>());
        let policy = PolicyDefaults::default().to_policy(&quotas);
        assert_eq!(policy.ceiling.quotas, quotas.max.to_ceiling());
        // Also where neither the configuration nor an app sets a quota.
        assert_eq!(Settings::default().over(&policy).quotas.app_mailboxes, 7);
    }
}
