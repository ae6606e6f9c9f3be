//! tonic's own errors in our words.

use std::error::Error as _;

use tonic::{Code, Status};

use super::{Answer, Around, Call, Next, refuse};
use crate::error::RpcError;

/// Translates the statuses with which tonic refuses a request: their codes blame the server,
/// and their texts tell field names and limits. Those that a handler gave pass as they are.
#[derive(Clone)]
pub(crate) struct Translate;

impl Around for Translate {
    async fn around(&self, call: Call, next: &impl Next) -> Answer {
        let answer = next.run(call).await;
        match answer.extensions().get::<Status>().and_then(translated) {
            Some(error) => refuse(error),
            None => answer,
        }
    }
}

fn translated(status: &Status) -> Option<RpcError> {
    if is_ours(status) {
        return None;
    }
    match status.code() {
        // What could not be decoded, or is no message at all.
        Code::Internal => Some(RpcError::Malformed),
        Code::OutOfRange => Some(RpcError::RequestTooLarge),
        _ => None,
    }
}

fn is_ours(status: &Status) -> bool {
    status
        .source()
        .is_some_and(<dyn std::error::Error + 'static>::is::<RpcError>)
}
