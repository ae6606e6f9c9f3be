//! Lists of message ids in requests.

use std::collections::HashSet;

use domain::limits::MESSAGE_IDS_MAX;
use domain::number::saturating;
use domain::{MessageId, Violations};

/// Distinct message ids of a request, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedIds(Vec<NamedId>);

/// Requested id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum NamedId {
    Message(MessageId),
    /// Text that is no UUID, so that it names no message.
    Nothing(String),
}

impl NamedId {
    fn parse(text: &str) -> Self {
        MessageId::parse(text).map_or_else(|| Self::Nothing(text.to_owned()), Self::Message)
    }

    const fn id(&self) -> Option<MessageId> {
        match self {
            Self::Message(id) => Some(*id),
            Self::Nothing(_) => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Message(id) => id.to_string(),
            Self::Nothing(text) => text.clone(),
        }
    }
}

impl RequestedIds {
    /// Parses the `message_ids` of a request: 1 to [`MESSAGE_IDS_MAX`], duplicates included.
    pub fn parse(texts: &[String], violations: &mut Violations) -> Self {
        if texts.is_empty() || texts.len() > MESSAGE_IDS_MAX {
            violations.invalid(
                "message_ids",
                format!("must be 1 to {MESSAGE_IDS_MAX} message ids"),
            );
            return Self(Vec::new());
        }
        let mut seen = HashSet::new();
        let named = texts.iter().map(|text| NamedId::parse(text));
        Self(named.filter(|named| seen.insert(named.clone())).collect())
    }

    /// Returns the number of distinct ids.
    #[must_use]
    pub fn requested(&self) -> u32 {
        saturating(self.0.len())
    }

    /// Returns the well-formed ids.
    #[must_use]
    pub fn to_vec(&self) -> Vec<MessageId> {
        self.0.iter().filter_map(NamedId::id).collect()
    }

    /// Returns the ids that are not among the existing ones.
    #[must_use]
    pub fn missing(&self, existing: impl IntoIterator<Item = MessageId>) -> Vec<String> {
        let existing: HashSet<MessageId> = existing.into_iter().collect();
        let is_missing = |named: &&NamedId| named.id().is_none_or(|id| !existing.contains(&id));
        self.0
            .iter()
            .filter(is_missing)
            .map(NamedId::text)
            .collect()
    }

    /// Returns the canonical form, the same for every order.
    #[must_use]
    pub fn canonical(&self) -> Vec<String> {
        let mut texts: Vec<String> = self.0.iter().map(NamedId::text).collect();
        texts.sort_unstable();
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
    const SECOND: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

    fn parse(texts: &[&str]) -> RequestedIds {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        let mut violations = Violations::none();
        let ids = RequestedIds::parse(&texts, &mut violations);
        assert!(violations.is_empty());
        ids
    }

    #[test]
    fn order_is_kept_and_duplicates_collapse() {
        let ids = parse(&[SECOND, FIRST, "x", SECOND, "x", &FIRST.to_uppercase()]);
        assert_eq!(ids.requested(), 3);
        let texts: Vec<String> = ids.to_vec().iter().map(ToString::to_string).collect();
        assert_eq!(texts, [SECOND, FIRST]);
    }

    #[test]
    fn malformed_ids_are_missing_as_written() {
        let ids = parse(&["x", FIRST, SECOND]);
        let there = MessageId::parse(FIRST);
        assert_eq!(ids.missing(there), ["x", SECOND]);
    }

    #[test]
    fn the_canonical_form_is_the_same_for_every_order() {
        assert_eq!(
            parse(&[SECOND, "x", FIRST]).canonical(),
            parse(&["x", FIRST, SECOND, FIRST]).canonical()
        );
        assert_ne!(parse(&[FIRST]).canonical(), parse(&[SECOND]).canonical());
    }

    #[test]
    fn one_to_five_hundred_ids_are_accepted() {
        for (count, complaints) in [(0, 1), (1, 0), (500, 0), (501, 1)] {
            let mut violations = Violations::none();
            RequestedIds::parse(&vec![FIRST.to_owned(); count], &mut violations);
            assert_eq!(violations.as_slice().len(), complaints, "{count} ids");
        }
    }
}
