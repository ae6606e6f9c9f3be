//! Field violations: of limits that the store checks, and as they are listed in
//! `google.rpc.BadRequest`, within the limits of trailers.

use domain::limits::VIOLATIONS_LISTED_MAX;
use domain::{LimitExceeded, Reason, Violation, Violations};
use tonic_types::FieldViolation;

use crate::limits::{
    VIOLATION_DESCRIPTION_BYTES_MAX, VIOLATION_FIELD_BYTES_MAX, VIOLATIONS_BYTES_MAX,
};

/// Mark at the end of a truncated text.
const CUT: &str = "…";
/// Size of a violation without its texts, in bytes: tags and lengths.
const FRAME_BYTES: usize = 12;

/// Returns the violations of limits that a request exceeds; `content_field` is the path of its
/// content.
pub(crate) fn exceeded_limits(exceeded: &[LimitExceeded], content_field: &str) -> Violations {
    let mut violations = Violations::none();
    for limit in exceeded {
        let (field, reason) = match limit {
            LimitExceeded::Recipients { .. } => ("to", Reason::MaxRecipientsExceeded),
            LimitExceeded::Lifetime { .. } => ("expire_after", Reason::InvalidRequest),
            LimitExceeded::ContentBytes { .. } => (content_field, Reason::MessageTooLarge),
            LimitExceeded::Participants { .. } => ("participants", Reason::MaxParticipantsExceeded),
            LimitExceeded::Metadata { .. } => ("set", Reason::MetadataTooLarge),
        };
        violations.add(field, reason, limit.to_string());
    }
    violations
}

/// Returns the violations up to the limits; a last one counts the rest.
pub(super) fn listed(violations: &Violations) -> Vec<FieldViolation> {
    let all = violations.as_slice();
    let mut bytes = 0;
    let mut listed: Vec<FieldViolation> = all
        .iter()
        .take(VIOLATIONS_LISTED_MAX)
        .map(field_violation)
        .take_while(|violation| {
            bytes += violation.field.len() + violation.description.len() + FRAME_BYTES;
            bytes <= VIOLATIONS_BYTES_MAX
        })
        .collect();
    let more = all.len() - listed.len();
    if more > 0 {
        listed.push(FieldViolation::new("", format!("and {more} more")));
    }
    listed
}

fn field_violation(violation: &Violation) -> FieldViolation {
    FieldViolation::new(
        truncate(&violation.field, VIOLATION_FIELD_BYTES_MAX),
        truncate(&violation.description, VIOLATION_DESCRIPTION_BYTES_MAX),
    )
}

fn truncate(text: &str, bytes_max: usize) -> String {
    if text.len() <= bytes_max {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(bytes_max - CUT.len());
    format!("{}{CUT}", &text[..end])
}
