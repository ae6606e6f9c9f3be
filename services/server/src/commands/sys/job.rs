//! `postroom sys job`: progress of a delivery to a segment.

use clap::Args as Arguments;
use proto::sys::v1::send_job_change::Kind;
use proto::sys::v1::sys_client::SysClient;
use proto::sys::v1::{
    CancelSendJobRequest, GetSendJobRequest, GetSendJobResponse, SendJobChange, SendJobCounts,
    SendJobState,
};
use tokio::time::sleep;
use tonic::transport::Channel;

use crate::client::{Session, SysArgs, progress};
use crate::failure::Failure;
use crate::limits::JOB_WATCH_INTERVAL;
use crate::output::print_line;

const BAR: &str = "{bar:30} {human_pos}/{human_len} {eta} {msg}";

const EXAMPLES: &str = "\
Examples:
  postroom sys job 0193a1e2-…             show its progress
  postroom sys job 0193a1e2-… --watch     follow it to its end
  postroom sys job 0193a1e2-… --cancel    cancel it; delivered messages stay";

/// Show, follow or cancel a job that delivers a message to a segment
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Id of the job, or of its message
    #[arg(value_name = "ID")]
    job_id: String,
    /// Wait until the job has ended and a change of its message has reached all recipients
    #[arg(long)]
    watch: bool,
    /// Cancel the job
    #[arg(long)]
    cancel: bool,
    #[command(flatten)]
    endpoint: SysArgs,
}

/// Client for one job.
struct JobClient {
    id: String,
    session: Session,
    client: SysClient<Channel>,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut job = JobClient {
        id: args.job_id,
        client: SysClient::new(session.channel.clone()),
        session,
    };
    if args.cancel {
        job.cancel().await?;
    }
    let response = if args.watch {
        job.watch().await?
    } else {
        job.get().await?
    };
    print_line(describe(&response))
}

impl JobClient {
    async fn get(&mut self) -> Result<GetSendJobResponse, Failure> {
        let request = self.session.request(GetSendJobRequest {
            job_id: self.id.clone(),
        });
        Ok(self.client.get_send_job(request).await?.into_inner())
    }

    /// Cancels the job. It needs no `request_id`: cancelling twice has no effect.
    async fn cancel(&mut self) -> Result<(), Failure> {
        let request = self.session.request(CancelSendJobRequest {
            job_id: self.id.clone(),
            ..CancelSendJobRequest::default()
        });
        self.client.cancel_send_job(request).await?;
        Ok(())
    }

    /// Polls the job until it and the change of its message have ended.
    async fn watch(&mut self) -> Result<GetSendJobResponse, Failure> {
        let bar = progress(BAR);
        loop {
            let response = self.get().await?;
            let progress = JobProgress::of(&response);
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            bar.set_message(progress.verb);
            if has_ended(&response) {
                bar.finish_and_clear();
                return Ok(response);
            }
            sleep(JOB_WATCH_INTERVAL).await;
        }
    }
}

/// Progress of a job's delivery, or of the change of its message while one is running.
#[derive(Debug, PartialEq, Eq)]
struct JobProgress {
    verb: &'static str,
    done: u64,
    total: u64,
}

impl JobProgress {
    fn of(job: &GetSendJobResponse) -> Self {
        let counts = job.counts.unwrap_or_default();
        let tried = counts.delivered + counts.full + counts.failed;
        let (verb, done, total) = match &job.change {
            Some(change) if is_running(change) => (changed(change), change.reached, change.total),
            _ => ("delivered", tried, counts.accepted),
        };
        Self {
            verb,
            done: done.unsigned_abs(),
            total: total.unsigned_abs(),
        }
    }
}

fn is_running(change: &SendJobChange) -> bool {
    change.reached < change.total
}

fn has_ended(job: &GetSendJobResponse) -> bool {
    job.state() != SendJobState::Running && !job.change.as_ref().is_some_and(is_running)
}

fn describe(job: &GetSendJobResponse) -> String {
    let SendJobCounts {
        accepted,
        duplicates,
        delivered,
        full,
        failed,
    } = job.counts.unwrap_or_default();
    let change = job.change.as_ref().map(|change| {
        let (verb, reached, total) = (changed(change), change.reached, change.total);
        format!("\n{verb} for {reached} of {total} recipients")
    });
    format!(
        "{} of {}: {}\nto {accepted} profiles, {duplicates} duplicates: \
         {delivered} delivered, {full} full, {failed} failed{}",
        job.job_id,
        job.message_id,
        state(job.state()),
        change.unwrap_or_default()
    )
}

const fn state(state: SendJobState) -> &'static str {
    match state {
        SendJobState::Running => "running",
        SendJobState::Done => "done",
        SendJobState::Cancelled => "cancelled",
        SendJobState::Unspecified => "in an unknown state",
    }
}

fn changed(change: &SendJobChange) -> &'static str {
    match change.kind() {
        Kind::Updated => "updated",
        Kind::Deleted => "deleted",
        Kind::Unspecified => "changed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(state: SendJobState, change: Option<(i64, i64)>) -> GetSendJobResponse {
        GetSendJobResponse {
            job_id: "job".to_owned(),
            message_id: "message".to_owned(),
            state: state.into(),
            counts: Some(SendJobCounts {
                accepted: 9,
                duplicates: 1,
                delivered: 4,
                full: 2,
                failed: 0,
            }),
            change: change.map(|(reached, total)| SendJobChange {
                kind: Kind::Updated.into(),
                reached,
                total,
            }),
        }
    }

    #[test]
    fn a_job_has_ended_once_its_change_has_reached_all_recipients() {
        assert!(!has_ended(&job(SendJobState::Running, None)));
        assert!(!has_ended(&job(SendJobState::Done, Some((3, 6)))));
        assert!(has_ended(&job(SendJobState::Done, Some((6, 6)))));
        assert!(has_ended(&job(SendJobState::Cancelled, None)));
    }

    #[test]
    fn the_progress_is_that_of_a_running_change() {
        let progress = |verb, done, total| JobProgress { verb, done, total };
        let running = |change| JobProgress::of(&job(SendJobState::Running, change));
        assert_eq!(running(None), progress("delivered", 6, 9));
        assert_eq!(running(Some((3, 6))), progress("updated", 3, 6));
        assert_eq!(running(Some((6, 6))), progress("delivered", 6, 9));
    }

    #[test]
    fn a_description_of_a_job_has_its_counts_and_its_change() {
        assert_eq!(
            describe(&job(SendJobState::Running, Some((3, 6)))),
            "job of message: running\n\
             to 9 profiles, 1 duplicates: 4 delivered, 2 full, 0 failed\n\
             updated for 3 of 6 recipients"
        );
    }
}
