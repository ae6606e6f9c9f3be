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
        let Err(ended) = watch.follow().await;
        if !watch.was_let_in || !watch.may_pass(&ended) {
            return Err(ended.failure);
        }
        let wait = watch.wait_max.mul_f64(rand::random());
        eprintln!("postroom: {}; trying again", ended.failure);
        watch.wait_max = (watch.wait_max * 2).min(WAIT_MAX);
        sleep(wait).await;
    }
}

/// Why a stream ended.
struct Ended {
    failure: Failure,
    again: Again,
}

/// When it is worth trying again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Never,
    WithAnotherToken,
    Later,
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        let again = match failure {
            Failure::Unreachable { .. } | Failure::Disconnected(_) => Again::Later,
            Failure::Usage(_) | Failure::Config(_) | Failure::Failed(_) => Again::Never,
        };
        Self { failure, again }
    }
}

impl From<Status> for Ended {
    fn from(status: Status) -> Self {
        let again = match status.code() {
            Code::InvalidArgument | Code::PermissionDenied | Code::Unimplemented => Again::Never,
            Code::Unauthenticated => Again::WithAnotherToken,
            _ => Again::Later,
        };
        Self {
            failure: status.into(),
            again,
        }
    }
}

impl Watch {
    fn may_pass(&self, ended: &Ended) -> bool {
        match ended.again {
            Again::Never => false,
            Again::WithAnotherToken => self.args.reach.mints_tokens(),
            Again::Later => true,
        }
    }

    async fn open(&self) -> Result<Streaming<SubscribeResponse>, Ended> {
        let session = self.args.reach.connect().await?;
        let mut client = MessagingClient::new(session.channel.clone());
        let request = session.endless(SubscribeRequest {
            cursor: self.cursor.clone(),
            msgboxes: self.args.msgbox.iter().cloned().collect(),
            ..SubscribeRequest::default()
        });
        Ok(client.subscribe(request).await?.into_inner())
    }

    /// Follows one stream to its end.
    async fn follow(&mut self) -> Result<std::convert::Infallible, Ended> {
        let mut stream = heard(self.open()).await?;
        loop {
            let answer = heard(async { Ok(stream.message().await?) }).await?;
            let event = answer.and_then(|answer| answer.event);
            let event = event.ok_or_else(|| disconnected("the stream has ended"))?;
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

/// What comes, unless there is silence for too long.
async fn heard<T>(awaited: impl Future<Output = Result<T, Ended>>) -> Result<T, Ended> {
    let heard = timeout(SILENCE_MAX, awaited).await;
    heard.unwrap_or_else(|_| Err(disconnected("nothing was heard for a minute")))
}

fn disconnected(what: &str) -> Ended {
    Failure::Disconnected(what.to_owned()).into()
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
        person(message.and_then(|message| message.sender.as_ref())),
        message.map(preview).unwrap_or_default(),
        if entry.read { "  (read)" } else { "" }
    )
}

fn of_counts(counts: &BoxCounts) -> String {
    let boxes = counts.boxes.iter().map(|msgbox| {
        format!(
            "{} {} ({} unread)",
            escape(&msgbox.name),
            msgbox.total,
            msgbox.unread
        )
    });
    format!("counts   {}", boxes.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn watch(arguments: [&str; 4]) -> Watch {
        let line = ["watch"].into_iter().chain(arguments);
        Watch {
            args: Line::parse_from(line).args,
            cursor: String::new(),
            was_let_in: false,
            wait_max: WAIT_MIN,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_never_answers_is_given_up() {
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = silent.local_addr().expect("an address");
        let mut watch = watch(["--token", "any", "--endpoint", &format!("http://{address}")]);
        let followed = timeout(SILENCE_MAX * 2, watch.follow()).await;
        let Err(ended) = followed.expect("an end");
        assert!(matches!(ended.failure, Failure::Disconnected(_)));
        assert!(watch.may_pass(&ended));
    }

    #[test]
    fn a_token_that_is_refused_is_tried_again_only_if_it_is_another_one() {
        let ended = Ended::from(Status::unauthenticated("no"));
        let endpoint = "http://127.0.0.1:1";
        assert!(!watch(["--token", "any", "--endpoint", endpoint]).may_pass(&ended));
        assert!(watch(["--as", "bob", "--endpoint", endpoint]).may_pass(&ended));
    }
}
