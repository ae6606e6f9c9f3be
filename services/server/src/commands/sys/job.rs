//! `postroom sys job`: how far the delivery to a segment is.

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
use crate::limits::JOB_LOOK_EVERY;

const BAR: &str = "{bar:30} {human_pos}/{human_len} {eta} {msg}";

const EXAMPLES: &str = "\
Examples:
  postroom sys job 0193a1e2-…             how far it is
  postroom sys job 0193a1e2-… --watch     follow it to its end
  postroom sys job 0193a1e2-… --cancel    stop it; what has been delivered stays";

/// Show, follow or stop a job that delivers a message to a segment
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The job, or its message
    #[arg(value_name = "ID")]
    job_id: String,
    /// Wait until the job has ended, and a change of its message has reached everyone
    #[arg(long)]
    watch: bool,
    /// Stop it
    #[arg(long)]
    cancel: bool,
    #[command(flatten)]
    reach: SysArgs,
}

/// A job of the service.
struct Job {
    id: String,
    session: Session,
    client: SysClient<Channel>,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let session = args.reach.connect().await?;
    let mut job = Job {
        id: args.job_id,
        client: SysClient::new(session.channel.clone()),
        session,
    };
    if args.cancel {
        job.cancel().await?;
    }
    let found = if args.watch {
        job.watch().await?
    } else {
        job.get().await?
    };
    println!("{}", words(&found));
    Ok(())
}

impl Job {
    async fn get(&mut self) -> Result<GetSendJobResponse, Failure> {
        let request = self.session.request(GetSendJobRequest {
            job_id: self.id.clone(),
        });
        Ok(self.client.get_send_job(request).await?.into_inner())
    }

    /// Stops it. It needs no `request_id`: a job that has stopped is not stopped again.
    async fn cancel(&mut self) -> Result<(), Failure> {
        let request = self.session.request(CancelSendJobRequest {
            job_id: self.id.clone(),
            ..CancelSendJobRequest::default()
        });
        self.client.cancel_send_job(request).await?;
        Ok(())
    }

    /// Waits until nothing is left to do.
    async fn watch(&mut self) -> Result<GetSendJobResponse, Failure> {
        let bar = progress(BAR);
        loop {
            let found = self.get().await?;
            let step = Step::of(&found);
            bar.set_length(step.all);
            bar.set_position(step.done);
            bar.set_message(step.what);
            if has_ended(&found) {
                bar.finish_and_clear();
                return Ok(found);
            }
            sleep(JOB_LOOK_EVERY).await;
        }
    }
}

/// What a job has done, of what it has to do now.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    what: &'static str,
    done: u64,
    all: u64,
}

impl Step {
    fn of(job: &GetSendJobResponse) -> Self {
        let counts = job.counts.unwrap_or_default();
        let tried = counts.delivered + counts.full + counts.failed;
        let (what, done, all) = match &job.change {
            Some(change) if is_left(change) => (changed(change), change.reached, change.total),
            _ => ("delivered", tried, counts.accepted),
        };
        Self {
            what,
            done: done.unsigned_abs(),
            all: all.unsigned_abs(),
        }
    }
}

fn is_left(change: &SendJobChange) -> bool {
    change.reached < change.total
}

fn has_ended(job: &GetSendJobResponse) -> bool {
    job.state() != SendJobState::Running && !job.change.as_ref().is_some_and(is_left)
}

fn words(job: &GetSendJobResponse) -> String {
    let SendJobCounts {
        accepted,
        duplicates,
        delivered,
        full,
        failed,
    } = job.counts.unwrap_or_default();
    let change = job.change.as_ref().map(|change| {
        let (what, reached, total) = (changed(change), change.reached, change.total);
        format!("\n{what} for {reached} of {total} recipients")
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
        SendJobState::Unspecified => "in a state that this program does not know",
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
    fn a_job_has_ended_when_its_change_has_reached_everyone_too() {
        assert!(!has_ended(&job(SendJobState::Running, None)));
        assert!(!has_ended(&job(SendJobState::Done, Some((3, 6)))));
        assert!(has_ended(&job(SendJobState::Done, Some((6, 6)))));
        assert!(has_ended(&job(SendJobState::Cancelled, None)));
    }

    #[test]
    fn the_bar_shows_the_change_while_there_is_something_left_of_it() {
        let step = |what, done, all| Step { what, done, all };
        let running = |change| Step::of(&job(SendJobState::Running, change));
        assert_eq!(running(None), step("delivered", 6, 9));
        assert_eq!(running(Some((3, 6))), step("updated", 3, 6));
        assert_eq!(running(Some((6, 6))), step("delivered", 6, 9));
    }

    #[test]
    fn a_job_is_shown_with_its_counts_and_its_change() {
        assert_eq!(
            words(&job(SendJobState::Running, Some((3, 6)))),
            "job of message: running\n\
             to 9 profiles, 1 duplicates: 4 delivered, 2 full, 0 failed\n\
             updated for 3 of 6 recipients"
        );
    }
}
