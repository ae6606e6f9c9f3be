//! `GetSendJob`: state and progress of a send job.

use domain::Violations;
use domain::segment::JobId;
use proto::sys::v1::{GetSendJobRequest, GetSendJobResponse};
use rpc::{RpcError, System};
use storage::MailStore;

use crate::job;

pub async fn handle(
    store: &dyn MailStore,
    system: System,
    request: GetSendJobRequest,
) -> Result<GetSendJobResponse, RpcError> {
    let job_id = parse(&request)?;
    let report = store.send_job(system.app(), job_id.uuid()).await?;
    let report = report.ok_or(RpcError::MessageNotFound)?;
    Ok(GetSendJobResponse {
        job_id: report.job_id.to_string(),
        message_id: report.message_id.to_string(),
        state: job::state(report.state).into(),
        counts: Some(job::counts(&report.counts)),
        change: report.change.as_ref().map(job::change),
    })
}

fn parse(request: &GetSendJobRequest) -> Result<JobId, Violations> {
    let mut violations = Violations::none();
    let job_id = job::id(&request.job_id, &mut violations);
    violations.finish(Some(job_id))
}
