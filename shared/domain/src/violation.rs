//! Violations: all faults of a request's fields, collected before it is refused.

/// Reason of a refused field; the reason of the error, if all violations agree on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// A field problem without a reason of its own.
    InvalidRequest,
    /// The content is missing, malformed or outside its limits.
    ContentInvalid,
    /// More recipients than the policy allows.
    MaxRecipientsExceeded,
    /// A content of more bytes than the policy allows.
    MessageTooLarge,
    /// A system message may not name a sending profile.
    SenderIdMustBeEmpty,
    /// A system message must say who it is from.
    SenderNameRequired,
    /// There is no such box.
    MsgboxUnknown,
    /// More participants of a conversation than the policy allows.
    MaxParticipantsExceeded,
    /// Metadata of too many bytes.
    MetadataTooLarge,
}

/// Violation: one fault of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The field's path in the request: `to[3]`, `content.json`.
    pub field: String,
    /// Reason of the refusal.
    pub reason: Reason,
    /// Advice for people.
    pub description: String,
}

/// All that is wrong with a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Nothing wrong so far.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds one.
    pub fn add(
        &mut self,
        field: impl Into<String>,
        reason: Reason,
        description: impl Into<String>,
    ) {
        self.0.push(Violation {
            field: field.into(),
            reason,
            description: description.into(),
        });
    }

    /// Adds one for a field problem without a reason of its own.
    pub fn invalid(&mut self, field: impl Into<String>, description: impl Into<String>) {
        self.add(field, Reason::InvalidRequest, description);
    }

    /// Adds all of the others.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// The same of fields within a field.
    #[must_use]
    pub fn within(mut self, outer: &str) -> Self {
        for violation in &mut self.0 {
            violation.field = format!("{outer}.{}", violation.field);
        }
        self
    }

    /// The reason on which all violations agree, else [`Reason::InvalidRequest`].
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self.0.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other.reason == first.reason) => {
                first.reason
            }
            _ => Reason::InvalidRequest,
        }
    }

    /// Returns true if there are no violations.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The violations in the order in which they were found.
    #[must_use]
    pub fn as_slice(&self) -> &[Violation] {
        &self.0
    }

    /// `Ok` if nothing is wrong.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn check(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }

    /// Returns the parsed value if there are no violations; a parser that yields none reported one.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn finish<T>(self, parsed: Option<T>) -> Result<T, Self> {
        match parsed {
            Some(parsed) if self.is_empty() => Ok(parsed),
            _ => Err(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_one_on_which_all_agree() {
        let mut violations = Violations::none();
        violations.add("content.json", Reason::ContentInvalid, "too deep");
        violations.add("content.json", Reason::ContentInvalid, "too many");
        assert_eq!(violations.reason(), Reason::ContentInvalid);
        violations.invalid("request_id", "too long");
        assert_eq!(violations.reason(), Reason::InvalidRequest);
    }
}
