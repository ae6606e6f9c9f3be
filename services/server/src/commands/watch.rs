//! `postroom watch`: what happens to a user's mailbox, as it happens.

use std::time::Duration;

use clap::Args as Arguments;
use proto::v1::event::Frame;
use proto::v1::messaging_client::MessagingClient;
use proto::v1::{BoxCounts, Event, MsgboxEntry, SubscribeRequest, SubscribeResponse};
use tokio::time::{sleep, timeout};
use tonic::{Code, Status, Streaming};

use crate::client::{UserArgs, escape, person, preview};
use crate::failure::Failure;

/// The longest silence; the service breaks it every 25 seconds.
const SILENCE_MAX: Duration = Duration::from_mins(1);
/// The longest wait before the first new attempt; each further one may be twice as long.
const WAIT_MIN: Duration = Duration::from_millis(250);
/// The longest wait before an attempt.
const WAIT_MAX: Duration = Duration::from_secs(15);

const EXAMPLES: &str = "\
Examples:
  postroom watch --as bob                 what happens from now on
  postroom watch --as bob --cursor 0      everything that is stored first
  postroom watch --as bob --cursors       with what to give to --cursor to go on";

/// Print what happens to a mailbox, as it happens, until interrupted
///
/// Resumes by itself where it was, also when the service is restarted.
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Where to go on; 0 means everything that is stored
    #[arg(long, default_value = "", hide_default_value = true)]
    cursor: String,
    /// Only this box: inbox or sent
    #[arg(long = "box", value_name = "BOX")]
    msgbox: Option<String>,
    /// Begin each line with the cursor that goes on after it
    #[arg(long)]
    cursors: bool,
    #[command(flatten)]
    reach: UserArgs,
}

/// Where the watch is.
struct Watch {
    args: Args,
    cursor: String,
    /// Whether it has seen a frame, and so knows that it may.
    was_let_in: bool,
    wait_max: Duration,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let mut watch = Watch {
        cursor: args.cursor.clone(),
        args,
        was_let_in: false,
        wait_max: WAIT_MIN,
    };
    loop {
        let Err(failure) = watch.follow().await;
        if !watch.was_let_in || !failure.may_pass {
            return Err(failure.failure);
        }
        let wait = watch.wait_max.mul_f64(rand::random());
        eprintln!("postroom: {}; trying again", failure.failure);
        watch.wait_max = (watch.wait_max * 2).min(WAIT_MAX);
        sleep(wait).await;
    }
}

/// Why a stream ended.
struct Ended {
    failure: Failure,
    /// Whether it is worth trying again.
    may_pass: bool,
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        let may_pass = match failure {
            Failure::Unreachable { .. } | Failure::Disconnected(_) => true,
            Failure::Usage(_) | Failure::Config(_) | Failure::Failed(_) => false,
        };
        Self { failure, may_pass }
    }
}

impl From<Status> for Ended {
    fn from(status: Status) -> Self {
        let may_pass = !matches!(
            status.code(),
            Code::InvalidArgument | Code::PermissionDenied | Code::Unimplemented
        );
        Self {
            failure: status.into(),
            may_pass,
        }
    }
}

impl Watch {
    /// Follows one stream to its end.
    async fn follow(&mut self) -> Result<std::convert::Infallible, Ended> {
        let session = self.args.reach.connect().await?;
        let mut client = MessagingClient::new(session.channel.clone());
        let request = session.endless(SubscribeRequest {
            cursor: self.cursor.clone(),
            msgboxes: self.args.msgbox.iter().cloned().collect(),
            ..SubscribeRequest::default()
        });
        let mut stream = client.subscribe(request).await?.into_inner();
        loop {
            let event = next(&mut stream).await?;
            self.was_let_in = true;
            self.wait_max = WAIT_MIN;
            self.cursor.clone_from(&event.cursor);
            if let Some(line) = line(&event) {
                if self.args.cursors {
                    print!("{} ", event.cursor);
                }
                println!("{line}");
            }
            if let Some(Frame::Reconnect(reconnect)) = event.frame {
                sleep(Duration::from_millis(reconnect.after_ms.into())).await;
            }
        }
    }
}

async fn next(stream: &mut Streaming<SubscribeResponse>) -> Result<Event, Ended> {
    let ended = |what: &str| Ended::from(Failure::Disconnected(what.to_owned()));
    let answer = timeout(SILENCE_MAX, stream.message()).await;
    let answer = answer.map_err(|_| ended("nothing was heard for a minute"))??;
    let event = answer.and_then(|answer| answer.event);
    event.ok_or_else(|| ended("the stream has ended"))
}

/// A frame as a line; none: it is for programs.
fn line(event: &Event) -> Option<String> {
    Some(match event.frame.as_ref()? {
        Frame::MessageReceived(entry) => of_entry("received", entry),
        Frame::MessageUpdated(entry) => of_entry("updated", entry),
        Frame::MessageDeleted(gone) => {
            format!(
                "deleted  {:5}  {}",
                escape(&gone.msgbox),
                escape(&gone.message_id)
            )
        }
        Frame::Counts(counts) => of_counts(counts),
        Frame::CaughtUp(_) => "caught up".to_owned(),
        Frame::Resync(resync) => format!("resync   {}", resync.reason().as_str_name()),
        Frame::Heartbeat(_) | Frame::Reconnect(_) => return None,
    })
}

fn of_entry(what: &str, entry: &MsgboxEntry) -> String {
    let message = entry.message.as_ref();
    format!(
        "{what:8} {:5}  {}  {}  {}{}",
        escape(&entry.msgbox),
        escape(&entry.message_id),
        person(message.and_then(|message| message.from.as_ref())),
        message.map(preview).unwrap_or_default(),
        if entry.read { "  (read)" } else { "" }
    )
}

fn of_counts(counts: &BoxCounts) -> String {
    let boxes = counts.counts.iter().map(|(name, counts)| {
        format!(
            "{} {} ({} unread)",
            escape(name),
            counts.total,
            counts.unread
        )
    });
    format!("counts   {}", boxes.collect::<Vec<_>>().join(", "))
}
