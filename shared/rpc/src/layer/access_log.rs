//! One line for each call, when it has ended, however it has ended.

mod record;
mod watched;

use std::sync::Arc;

use http::StatusCode;
use telemetry::CallMetrics;
use tonic::Status;
use tonic::body::Body;

use self::record::{Outcome, Record};
use self::watched::Watched;
use super::info::Info;
use super::{Answer, Around, Call, Next, code};
use crate::methods::Methods;

/// Finds out which method is called, and tells the log and the metrics how the call went.
#[derive(Clone)]
pub(crate) struct AccessLog {
    methods: Arc<Methods>,
    calls: CallMetrics,
}

impl AccessLog {
    pub fn new(methods: Methods) -> Self {
        Self {
            methods: Arc::new(methods),
            calls: CallMetrics::new(),
        }
    }
}

impl Around for AccessLog {
    async fn around(&self, mut call: Call, next: &impl Next) -> Answer {
        let info = Info {
            method: self.methods.find(call.uri().path()),
            ..Info::default()
        };
        call.extensions_mut().insert(info.clone());
        let record = Record::begin(info, self.calls.clone());
        follow(next.run(call).await, record)
    }
}

/// Closes the record if the answer is complete, else when its last byte has been sent.
fn follow(answer: Answer, mut record: Record) -> Answer {
    if let Some(outcome) = outcome(&answer) {
        record.close(outcome);
        return answer;
    }
    answer.map(|body| Body::new(Watched::new(body, record)))
}

/// How the call has ended, if its headers say it.
fn outcome(answer: &Answer) -> Option<Outcome> {
    if let Some(status) = answer.extensions().get::<Status>() {
        return Some(Outcome::of_status(status));
    }
    let is_grpc = answer.status() == StatusCode::OK;
    Some(Outcome {
        http: (!is_grpc).then(|| answer.status().as_u16()),
        ..Outcome::of_code(code::of_answer(answer)?)
    })
}
