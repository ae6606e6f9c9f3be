//! `CancelSendJob`: the app cancels a send job.

use domain::operation::CancelSendJob;
use domain::request::Request as Repeatable;
use domain::segment::JobId;
use domain::{Operation, Violations};
use proto::sys::v1::{CancelSendJobRequest, CancelSendJobResponse};
use rpc::convert::id;
use rpc::convert::idempotency::Canonical;
use rpc::methods::sys::CANCEL_SEND_JOB;
use rpc::{RpcError, System};
use storage::{Budget, MailStore};

use crate::job;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: CancelSendJobRequest,
    budget: Budget,
) -> Result<CancelSendJobResponse, RpcError> {
    let (id, request) = parse(&request)?;
    // The request may name the job or its message.
    let found = store.send_job(system.app(), id.uuid()).await?;
    let job_id = found.map_or(id, |report| report.job_id);
    let operation = Operation {
        request,
        action: CancelSendJob { job_id },
    };
    let report = store.execute(system.app(), operation, budget).await?;
    Ok(CancelSendJobResponse {
        job_id: report.job_id.to_string(),
        state: job::state(report.state).into(),
        counts: Some(job::counts(&report.counts)),
    })
}

fn parse(request: &CancelSendJobRequest) -> Result<(JobId, Option<Repeatable>), Violations> {
    let mut violations = Violations::none();
    let job_id = job::id(&request.job_id, &mut violations);
    let request_id = id::request(&request.request_id, &mut violations);
    violations.check()?;
    let canonical = Canonical::of(CANCEL_SEND_JOB.path).field(job_id.uuid());
    Ok((job_id, canonical.of_app(request_id.as_ref())))
}
