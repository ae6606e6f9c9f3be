//! Outcomes of operations: stored with the request id, and returned again for a repeated one.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::content::Digest;
use crate::id::MessageId;
use crate::policy::Settings;
use crate::segment::{JobId, JobReport};
use crate::time::Millis;

/// Result of an operation. Kept with the request's key for as long as the request can
/// be repeated, so names of fields and variants stay; they are short because every
/// repeatable request stores one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Success without further data.
    #[serde(rename = "d")]
    Done,
    /// A message was sent.
    #[serde(rename = "s")]
    Sent(Sent),
    /// So many of the asked-for entries or messages are now as wished.
    #[serde(rename = "c")]
    Changed(u32),
    /// A message says something else now.
    #[serde(rename = "r")]
    Revised(Revision),
    /// The app's settings are these now.
    #[serde(rename = "a")]
    SettingsUpdated(Settings),
    /// A message was sent to a segment.
    #[serde(rename = "l")]
    SegmentSent(SegmentSent),
    /// A job is this far.
    #[serde(rename = "j")]
    Job(JobReport),
}

/// A message that was sent to a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentSent {
    /// Job that delivers it.
    #[serde(rename = "j")]
    pub job_id: JobId,
    /// Id of the message.
    #[serde(rename = "i")]
    pub message_id: MessageId,
    /// Distinct recipients.
    #[serde(rename = "a")]
    pub accepted: i64,
    /// Number of duplicates among the named recipients.
    #[serde(rename = "u")]
    pub duplicates: i64,
    /// Time of the send.
    #[serde(rename = "s")]
    pub send_ms: Millis,
    /// Expiry of the message.
    #[serde(rename = "e")]
    pub expire_ms: Millis,
}

/// A message that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredSent", into = "StoredSent")]
pub struct Sent {
    /// Id of the message.
    pub message_id: MessageId,
    /// Distinct recipients.
    pub requested: u32,
    /// Inboxes that took it.
    pub actual: u32,
    /// Time of the send.
    pub send_ms: Millis,
    /// Expiry of the message.
    pub expire_ms: Millis,
}

/// Without what the id tells. Most of what is stored for requests is this.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredSent {
    /// The bytes of a [`Long`](Self::Long) whose numbers are small, each with its highest first:
    /// 16, 2, 2 and 6.
    Short(#[serde(with = "text")] [u8; 26]),
    /// Message id, numbers of recipients named and reached, and expiry.
    Long(#[serde(with = "text")] Uuid, u32, u32, Millis),
}

/// Bytes in as few characters as there may be.
mod text {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde::de::{Deserialize, Deserializer, Error as _};
    use serde::ser::Serializer;

    pub fn serialize<T: AsRef<[u8]>, S: Serializer>(
        bytes: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
    }

    pub fn deserialize<'de, T: TryFrom<Vec<u8>>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
        let wrong = |_| D::Error::custom("another number of bytes");
        T::try_from(bytes).map_err(wrong)
    }
}

impl StoredSent {
    /// None if a number is too large.
    fn short(sent: &Sent) -> Option<Self> {
        let requested = u16::try_from(sent.requested).ok()?;
        let actual = u16::try_from(sent.actual).ok()?;
        let [0, 0, expires @ ..] = sent.expire_ms.0.to_be_bytes() else {
            return None;
        };
        let mut bytes = [0; 26];
        bytes[..16].copy_from_slice(sent.message_id.uuid().as_bytes());
        bytes[16..18].copy_from_slice(&requested.to_be_bytes());
        bytes[18..20].copy_from_slice(&actual.to_be_bytes());
        bytes[20..].copy_from_slice(&expires);
        Some(Self::Short(bytes))
    }

    /// The id and the numbers, in their order.
    fn parts(self) -> (Uuid, u32, u32, Millis) {
        match self {
            Self::Short(bytes) => {
                let (mut id, mut expires) = ([0; 16], [0; 8]);
                id.copy_from_slice(&bytes[..16]);
                expires[2..].copy_from_slice(&bytes[20..]);
                (
                    Uuid::from_bytes(id),
                    u16::from_be_bytes([bytes[16], bytes[17]]).into(),
                    u16::from_be_bytes([bytes[18], bytes[19]]).into(),
                    Millis(i64::from_be_bytes(expires)),
                )
            }
            Self::Long(message_id, requested, actual, expire_ms) => {
                (message_id, requested, actual, expire_ms)
            }
        }
    }
}

impl From<Sent> for StoredSent {
    fn from(sent: Sent) -> Self {
        Self::short(&sent).unwrap_or_else(|| {
            let message_id = sent.message_id.uuid();
            Self::Long(message_id, sent.requested, sent.actual, sent.expire_ms)
        })
    }
}

impl From<StoredSent> for Sent {
    fn from(stored: StoredSent) -> Self {
        let (message_id, requested, actual, expire_ms) = stored.parts();
        let message_id = MessageId::new(message_id);
        Self {
            message_id,
            requested,
            actual,
            send_ms: message_id.time_ms().unwrap_or_default(),
            expire_ms,
        }
    }
}

/// A new version of a message's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The message.
    #[serde(rename = "i")]
    pub message_id: MessageId,
    /// New version of the message.
    #[serde(rename = "v")]
    pub version: i64,
    /// Time of the change.
    #[serde(rename = "u")]
    pub update_ms: Millis,
    /// The digest of what it says now.
    #[serde(rename = "d")]
    pub digest: Digest,
}

/// An outcome of another kind than its action's; a bug.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnexpectedOutcome(pub Outcome);

/// Conversions between an outcome and the value in it.
macro_rules! outcomes {
    ($($kind:ident => $value:ty,)*) => {
        $(impl From<$value> for Outcome {
            fn from(value: $value) -> Self {
                Self::$kind(value)
            }
        }

        impl TryFrom<Outcome> for $value {
            type Error = UnexpectedOutcome;

            fn try_from(outcome: Outcome) -> Result<Self, UnexpectedOutcome> {
                match outcome {
                    Outcome::$kind(value) => Ok(value),
                    other => Err(UnexpectedOutcome(other)),
                }
            }
        })*
    };
}

outcomes! {
    Sent => Sent,
    Changed => u32,
    Revised => Revision,
    SettingsUpdated => Settings,
    SegmentSent => SegmentSent,
    Job => JobReport,
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Done
    }
}

impl TryFrom<Outcome> for () {
    type Error = UnexpectedOutcome;

    fn try_from(outcome: Outcome) -> Result<Self, UnexpectedOutcome> {
        match outcome {
            Outcome::Done => Ok(()),
            other => Err(UnexpectedOutcome(other)),
        }
    }
}

impl Outcome {
    /// The form that is stored.
    #[must_use]
    pub fn encode(&self) -> String {
        serde_json::to_string(self).expect("an outcome has no map keys that are no strings")
    }

    /// Reads the stored form. None if it is none.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{ChangeReport, JobCounts, JobState};
    use crate::testing::sent_at;

    /// Stored texts are read by the next release, so they do not change.
    #[test]
    fn stored_forms_stay_as_they_are() {
        let sent = Sent {
            message_id: sent_at(10),
            requested: 3,
            actual: 2,
            send_ms: Millis(10),
            expire_ms: Millis(20),
        };
        let revision = Revision {
            message_id: sent_at(10),
            version: 2,
            update_ms: Millis(30),
            digest: [7; 32],
        };
        let settings = Settings {
            version: 4,
            allow_edit: Some(false),
            ..Settings::default()
        };
        let launched = SegmentSent {
            job_id: JobId::new(sent_at(5).uuid()),
            message_id: sent_at(10),
            accepted: 70_000,
            duplicates: 3,
            send_ms: Millis(10),
            expire_ms: Millis(20),
        };
        let job = JobReport {
            job_id: JobId::new(sent_at(5).uuid()),
            message_id: sent_at(10),
            state: JobState::Cancelled,
            counts: JobCounts {
                accepted: 6,
                duplicates: 1,
                delivered: 3,
                full: 2,
                failed: 1,
            },
            change: Some(ChangeReport {
                is_recall: true,
                reached: 2,
                total: 3,
            }),
        };
        let sevens = ["7"; 32].join(",");
        for (outcome, stored) in [
            (Outcome::Done, r#""d""#.to_owned()),
            (Outcome::Changed(5), r#"{"c":5}"#.to_owned()),
            (
                Outcome::Sent(sent),
                r#"{"s":"AAAAAAAKcACAAAAAAAAAAAADAAIAAAAAABQ"}"#.to_owned(),
            ),
            (
                Outcome::Sent(Sent {
                    requested: 70_000,
                    ..sent
                }),
                r#"{"s":["AAAAAAAKcACAAAAAAAAAAA",70000,2,20]}"#.to_owned(),
            ),
            (
                Outcome::SegmentSent(launched),
                r#"{"l":{"j":"00000000-0005-7000-8000-000000000000","i":"00000000-000a-7000-8000-000000000000","a":70000,"u":3,"s":10,"e":20}}"#
                    .to_owned(),
            ),
            (
                Outcome::Job(job),
                r#"{"j":{"j":"00000000-0005-7000-8000-000000000000","i":"00000000-000a-7000-8000-000000000000","s":"c","c":{"a":6,"u":1,"d":3,"b":2,"f":1},"h":{"r":true,"n":2,"t":3}}}"#
                    .to_owned(),
            ),
            (
                Outcome::Revised(revision),
                format!(
                    r#"{{"r":{{"i":"00000000-000a-7000-8000-000000000000","v":2,"u":30,"d":[{sevens}]}}}}"#
                ),
            ),
        ] {
            assert_eq!(outcome.encode(), stored);
            assert_eq!(Outcome::decode(&stored), Some(outcome));
        }
        // As it was stored once.
        let long = r#"{"s":["AAAAAAAKcACAAAAAAAAAAA",3,2,20]}"#;
        assert_eq!(Outcome::decode(long), Some(Outcome::Sent(sent)));
        let configured = Outcome::SettingsUpdated(settings);
        assert_eq!(Outcome::decode(&configured.encode()), Some(configured));
        let old = r#"{"a":{"version":4,"allow_edit":false}}"#;
        assert!(matches!(
            Outcome::decode(old),
            Some(Outcome::SettingsUpdated(_))
        ));
    }

    #[test]
    fn stored_sends_decode_to_the_same_numbers() {
        let most = i64::from(u32::MAX) << 16 | 0xffff;
        for requested in [0, 65_535, 65_536, u32::MAX] {
            for expire_ms in [i64::MIN, -1, 0, 1, most, most + 1, i64::MAX] {
                let sent = Outcome::Sent(Sent {
                    message_id: sent_at(10),
                    requested,
                    actual: requested / 2,
                    send_ms: Millis(10),
                    expire_ms: Millis(expire_ms),
                });
                assert_eq!(Outcome::decode(&sent.encode()), Some(sent));
            }
        }
    }

    #[test]
    fn malformed_text_decodes_to_no_outcome() {
        for text in ["", "{}", r#"{"c":-1}"#, r#""x""#, r#"{"s":"AAAA"}"#] {
            assert_eq!(Outcome::decode(text), None, "{text}");
        }
    }
}
