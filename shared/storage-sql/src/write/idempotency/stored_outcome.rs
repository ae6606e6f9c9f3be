//! Stored form of outcomes: JSON with short names, because every repeatable request stores one.
//!
//! Most are those of sends, which take 35 characters of base64.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::content::Digest;
use domain::operation::{ConversationCreated, ConversationVersion, Revision, SegmentSent, Sent};
use domain::segment::JobReport;
use domain::{AppErasure, MessageId, Millis, Outcome, Revocation, Settings};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Returns the stored form of an outcome.
pub fn encode(outcome: &Outcome) -> String {
    let mut text = Vec::new();
    StoredOutcome::serialize(outcome, &mut serde_json::Serializer::new(&mut text))
        .expect("an outcome has no map keys that are no strings");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// Parses a stored form; none if it is malformed.
pub fn decode(text: &str) -> Option<Outcome> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let outcome = StoredOutcome::deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(outcome)
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Outcome")]
enum StoredOutcome {
    #[serde(rename = "d")]
    Done,
    #[serde(rename = "s", with = "stored_sent")]
    Sent(Sent),
    #[serde(rename = "c")]
    Changed(u32),
    #[serde(rename = "r", with = "StoredRevision")]
    Revised(Revision),
    #[serde(rename = "a")]
    SettingsUpdated(Settings),
    #[serde(rename = "l")]
    SegmentSent(SegmentSent),
    #[serde(rename = "j")]
    Job(JobReport),
    #[serde(rename = "t")]
    TokensRevoked(Revocation),
    #[serde(rename = "e")]
    AppErasure(AppErasure),
    #[serde(rename = "n")]
    ConversationCreated(ConversationCreated),
    #[serde(rename = "v")]
    ConversationVersion(ConversationVersion),
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "Revision")]
struct StoredRevision {
    #[serde(rename = "i")]
    message_id: MessageId,
    #[serde(rename = "v")]
    version: i64,
    #[serde(rename = "u")]
    update_ms: Millis,
    #[serde(rename = "d")]
    digest: Digest,
}

/// A [`Sent`] in base64: message id, numbers of recipients named and reached, and expiry, each
/// with its highest byte first. In 16, 2, 2 and 6 bytes if the numbers fit, else in 16, 4, 4
/// and 8. The id tells the time of the send.
mod stored_sent {
    use super::*;

    pub fn serialize<S: Serializer>(sent: &Sent, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = sent.message_id.uuid().as_bytes().to_vec();
        let numbers = narrow(sent).unwrap_or_else(|| wide(sent));
        bytes.extend_from_slice(&numbers);
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Sent, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
        parse(&bytes).ok_or_else(|| D::Error::custom("another number of bytes"))
    }

    /// None if a number does not fit.
    fn narrow(sent: &Sent) -> Option<Vec<u8>> {
        let requested = u16::try_from(sent.requested).ok()?;
        let actual = u16::try_from(sent.actual).ok()?;
        let [0, 0, expiry @ ..] = sent.expire_ms.0.to_be_bytes() else {
            return None;
        };
        let (requested, actual) = (requested.to_be_bytes(), actual.to_be_bytes());
        Some([&requested[..], &actual, &expiry].concat())
    }

    fn wide(sent: &Sent) -> Vec<u8> {
        let (requested, actual) = (sent.requested.to_be_bytes(), sent.actual.to_be_bytes());
        [&requested[..], &actual, &sent.expire_ms.0.to_be_bytes()].concat()
    }

    fn parse(bytes: &[u8]) -> Option<Sent> {
        let (id, numbers) = bytes.split_first_chunk()?;
        let (actual_at, expiry_at) = match numbers.len() {
            10 => (2, 4),
            16 => (4, 8),
            _ => return None,
        };
        let message_id = MessageId::new(Uuid::from_bytes(*id));
        Some(Sent {
            message_id,
            requested: number(&numbers[..actual_at]).try_into().ok()?,
            actual: number(&numbers[actual_at..expiry_at]).try_into().ok()?,
            send_ms: message_id.time_ms().unwrap_or_default(),
            expire_ms: Millis(number(&numbers[expiry_at..])),
        })
    }

    fn number(bytes: &[u8]) -> i64 {
        let append = |number, byte: &u8| number << 8 | i64::from(*byte);
        bytes.iter().fold(0, append)
    }
}

#[cfg(test)]
mod tests;
