//! Changes of participants, which differ in their kind.

use domain::operation::{ChangeParticipants, ParticipantsChange};
use domain::{Operation, ProfileId, Violations};
use rpc::convert::idempotency::Canonical;
use rpc::convert::{conversation, id};

/// Request to change participants.
pub struct ParticipantsRequest<'a> {
    pub change: ParticipantsChange,
    /// Path of the method.
    pub method: &'static str,
    pub conversation_id: &'a str,
    pub participants: &'a [String],
    pub request_id: &'a str,
}

impl ParticipantsRequest<'_> {
    pub fn parse(&self, caller: &ProfileId) -> Result<Operation<ChangeParticipants>, Violations> {
        let mut violations = Violations::none();
        let conversation_id = conversation::required_id(self.conversation_id, &mut violations);
        let named = conversation::participants(self.participants, &mut violations);
        let request_id = id::request(self.request_id, &mut violations);
        let named = violations.finish(named)?;
        Ok(Operation {
            request: Canonical::of(self.method)
                .field(conversation_id.uuid().as_bytes())
                .list(named.iter().map(ProfileId::as_str))
                .of_user(caller, request_id.as_ref()),
            action: ChangeParticipants::new(caller.clone(), conversation_id, self.change, named),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FIRST, SECOND, alice, fields, fingerprint, texts};

    fn parse(
        conversation_id: &str,
        participants: &[&str],
        request_id: &str,
    ) -> Result<Operation<ChangeParticipants>, Violations> {
        let request = ParticipantsRequest {
            change: ParticipantsChange::Add,
            method: "m",
            conversation_id,
            participants: &texts(participants),
            request_id,
        };
        request.parse(&alice())
    }

    #[test]
    fn all_violations_are_reported_together() {
        let violations = parse("", &[], "a b").expect_err("violations");
        let expected = ["conversation_id", "participants", "request_id"];
        assert_eq!(fields(&violations), expected);
    }

    #[test]
    fn other_participants_and_another_conversation_are_another_request() {
        let requests = [(FIRST, "bob"), (FIRST, "Bob"), (SECOND, "bob")];
        let [one, other, elsewhere] =
            requests.map(|(id, name)| parse(id, &[name], "once").expect("an operation"));
        assert_ne!(fingerprint(&one), fingerprint(&other));
        assert_ne!(fingerprint(&one), fingerprint(&elsewhere));
    }
}
