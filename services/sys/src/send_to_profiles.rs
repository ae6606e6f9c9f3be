//! `SendToProfiles`: the app sends a message to a segment, whose recipients are streamed.

use std::time::Instant;

use domain::limits::SEGMENT_RECIPIENTS_MAX;
use domain::operation::{SegmentSent, SendToProfiles};
use domain::segment::{JobCounts, Recipients};
use domain::{Draft, Operation, ProfileId, Reason, Refusal, RequestId, Violations};
use proto::sys::v1::send_to_profiles_request::Piece;
use proto::sys::v1::{SegmentMessage, SendToProfilesRequest, SendToProfilesResponse};
use rpc::convert::idempotency::Canonical;
use rpc::convert::time::timestamp;
use rpc::convert::{draft, id};
use rpc::limits::DEADLINE_DEFAULT;
use rpc::methods::sys::SEND_TO_PROFILES;
use rpc::{RequestStream, RpcError, System};
use storage::{Budget, Error, MailStore};
use tonic::Streaming;

use crate::{job, sender};

/// Maximum number of violations of one piece that are collected.
const VIOLATIONS_MAX: usize = 500;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: Streaming<SendToProfilesRequest>,
    budget: Budget,
) -> Result<SendToProfilesResponse, RpcError> {
    let mut pieces = RequestStream::of(request);
    let (draft, request_id) = first(pieces.next().await?)?;

    let mut intake = store.upload_recipients(system.app()).await?;
    let mut named = 0;
    while let Some(piece) = pieces.next().await? {
        let recipients = recipients(piece, named)?;
        named += recipients.len();
        intake.add(recipients).await?;
    }
    if named == 0 {
        return Err(missing("recipients", "must follow the message").into());
    }
    let to = intake.finish().await?;

    let deadline = budget.deadline.min(Instant::now() + DEADLINE_DEFAULT);
    let budget = Budget { deadline, ..budget };
    let operation = operation(draft, to, request_id.as_ref());
    let sent = store.execute(system.app(), operation, budget).await;
    let sent = sent.map_err(|error| match error {
        // The recipients that were just stored: the database was restored to an earlier state.
        Error::Refused(Refusal::NotFound) => {
            Error::Unavailable("recipients are gone".into()).into()
        }
        error => draft::error(error, "message.content"),
    })?;
    Ok(answer(&sent))
}

/// Parses the first piece of the stream, the message.
fn first(piece: Option<SendToProfilesRequest>) -> Result<(Draft, Option<RequestId>), Violations> {
    match piece.and_then(|piece| piece.piece) {
        Some(Piece::Message(message)) => parse(message).map_err(|it| it.within("message")),
        _ => Err(missing("message", "must come first")),
    }
}

fn parse(mut message: SegmentMessage) -> Result<(Draft, Option<RequestId>), Violations> {
    let mut violations = Violations::none();
    let mut of_sender = Violations::none();
    let sender = sender::parse(message.sender.take(), &mut of_sender);
    // A sealed content has no wrapped keys here: recipients must have the key already.
    let draft = draft::parse(&mut message, sender, Some(&[]), &mut violations);
    violations.extend(of_sender);
    let request_id = id::request(&message.request_id, &mut violations);
    Ok((violations.finish(draft)?, request_id))
}

/// Parses a further piece of the stream. Recipients are numbered across all pieces; `named` of
/// them preceded this one.
fn recipients(piece: SendToProfilesRequest, named: usize) -> Result<Vec<ProfileId>, Violations> {
    const FIELD: &str = "recipients.profile_ids";
    let Some(Piece::Recipients(chunk)) = piece.piece else {
        return Err(missing(
            "recipients",
            "must follow the message, and nothing else",
        ));
    };
    if chunk.profile_ids.is_empty() {
        return Err(missing(FIELD, "must name a recipient"));
    }
    let mut violations = Violations::none();
    if named + chunk.profile_ids.len() > SEGMENT_RECIPIENTS_MAX as usize {
        violations.add(
            FIELD,
            Reason::MaxRecipientsExceeded,
            format!("at most {SEGMENT_RECIPIENTS_MAX} recipients are allowed"),
        );
        return Err(violations);
    }
    let numbered = chunk.profile_ids.iter().enumerate();
    let mut ids = Vec::with_capacity(chunk.profile_ids.len());
    for (index, text) in numbered {
        match ProfileId::parse(text) {
            Ok(id) => ids.push(id),
            Err(error) => {
                violations.invalid(format!("{FIELD}[{}]", named + index), error.to_string());
                if violations.as_slice().len() >= VIOLATIONS_MAX {
                    break;
                }
            }
        }
    }
    violations.finish(Some(ids))
}

fn missing(field: &str, what: &str) -> Violations {
    let mut violations = Violations::none();
    violations.invalid(field, what);
    violations
}

fn operation(
    draft: Draft,
    to: Recipients,
    request_id: Option<&RequestId>,
) -> Operation<SendToProfiles> {
    Operation {
        request: Canonical::of(SEND_TO_PROFILES.path)
            .field(to.digest)
            .draft(&draft)
            .of_app(request_id),
        action: SendToProfiles { draft, to },
    }
}

fn answer(sent: &SegmentSent) -> SendToProfilesResponse {
    let counts = JobCounts {
        accepted: sent.accepted,
        duplicates: sent.duplicates,
        ..JobCounts::default()
    };
    SendToProfilesResponse {
        job_id: sent.job_id.to_string(),
        message_id: sent.message_id.to_string(),
        send_time: Some(timestamp(sent.send_ms)),
        expire_time: Some(timestamp(sent.expire_ms)),
        counts: Some(job::counts(&counts)),
    }
}
