//! `postroom watch`: prints the events of a user's mailbox.

use std::time::Duration;

use clap::Args as Arguments;
use proto::v1::event::Frame;
use proto::v1::messaging_client::MessagingClient;
use proto::v1::{BoxCounts, Event, MsgboxEntry, SubscribeRequest, SubscribeResponse};
use tokio::time::{sleep, timeout};
use tonic::{Code, Status, Streaming};

use crate::client::{UserArgs, escape, person, preview};
use crate::failure::Failure;
use crate::output::{print_line, print_note};

/// Maximum time between frames. The service sends a heartbeat every 25 seconds.
const SILENCE_MAX: Duration = Duration::from_mins(1);
/// Upper limit of the delay before the first retry; it doubles with each further one.
const RETRY_DELAY_MIN: Duration = Duration::from_millis(250);
/// Upper limit of the delay before any retry.
const RETRY_DELAY_MAX: Duration = Duration::from_secs(15);

const EXAMPLES: &str = "\
Examples:
  postroom watch --as bob                 events from now on
  postroom watch --as bob --cursor 0      all stored messages first
  postroom watch --as bob --cursors       with cursors, to resume with --cursor";

/// Print the events of a mailbox until interrupted
///
/// Reconnects and resumes by itself, also after a restart of the service.
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Cursor to resume after; 0 means all stored messages
    #[arg(long, default_value = "", hide_default_value = true)]
    cursor: String,
    /// Box to watch: inbox or sent. Default: all
    #[arg(long = "box", value_name = "BOX")]
    msgbox: Option<String>,
    /// Print the cursor after each event at the beginning of its line
    #[arg(long)]
    cursors: bool,
    #[command(flatten)]
    endpoint: UserArgs,
}

/// Subscription that reconnects.
struct Watcher {
    args: Args,
    cursor: String,
    /// Set by the first frame, which shows that the token and the cursor are accepted.
    was_accepted: bool,
    /// Upper limit of the next retry's delay.
    delay_max: Duration,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let mut watcher = Watcher {
        cursor: args.cursor.clone(),
        args,
        was_accepted: false,
        delay_max: RETRY_DELAY_MIN,
    };
    loop {
        let Err(end) = watcher.follow().await;
        if !watcher.was_accepted || !watcher.may_retry(&end) {
            return Err(end.failure);
        }
        let delay = watcher.delay_max.mul_f64(rand::random());
        // A token that ended after it was accepted is renewed without a word.
        if end.retry != RetryPolicy::WithNewToken || watcher.delay_max > RETRY_DELAY_MIN {
            print_note(format_args!("postroom: {}; reconnecting\n", end.failure));
        }
        watcher.delay_max = (watcher.delay_max * 2).min(RETRY_DELAY_MAX);
        sleep(delay).await;
    }
}

/// End of a stream, with its reason.
struct WatchEnd {
    failure: Failure,
    retry: RetryPolicy,
}

/// Condition for a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RetryPolicy {
    Never,
    WithNewToken,
    Always,
}

impl From<Failure> for WatchEnd {
    fn from(failure: Failure) -> Self {
        let retry = match failure {
            Failure::Unreachable { .. } | Failure::Disconnected(_) => RetryPolicy::Always,
            Failure::Usage(_)
            | Failure::Config(_)
            | Failure::Undrained
            | Failure::Output(_)
            | Failure::Failed(_) => RetryPolicy::Never,
        };
        Self { failure, retry }
    }
}

impl From<Status> for WatchEnd {
    fn from(status: Status) -> Self {
        let retry = match status.code() {
            Code::InvalidArgument | Code::PermissionDenied | Code::Unimplemented => {
                RetryPolicy::Never
            }
            Code::Unauthenticated => RetryPolicy::WithNewToken,
            _ => RetryPolicy::Always,
        };
        Self {
            failure: status.into(),
            retry,
        }
    }
}

impl Watcher {
    fn may_retry(&self, end: &WatchEnd) -> bool {
        match end.retry {
            RetryPolicy::Never => false,
            RetryPolicy::WithNewToken => self.args.endpoint.mints_tokens(),
            RetryPolicy::Always => true,
        }
    }

    async fn open(&self) -> Result<Streaming<SubscribeResponse>, WatchEnd> {
        let session = self.args.endpoint.connect().await?;
        let mut client = MessagingClient::new(session.channel.clone());
        let request = session.streaming_request(SubscribeRequest {
            cursor: self.cursor.clone(),
            msgboxes: self.args.msgbox.iter().cloned().collect(),
            ..SubscribeRequest::default()
        });
        Ok(client.subscribe(request).await?.into_inner())
    }

    /// Prints the events of one stream until it ends.
    async fn follow(&mut self) -> Result<std::convert::Infallible, WatchEnd> {
        let mut stream = unless_silent(self.open()).await?;
        loop {
            let response = unless_silent(async { Ok(stream.message().await?) }).await?;
            let event = response.and_then(|response| response.event);
            let event = event.ok_or_else(|| disconnected("the stream ended"))?;
            self.was_accepted = true;
            self.delay_max = RETRY_DELAY_MIN;
            self.cursor.clone_from(&event.cursor);
            if let Some(line) = line(&event) {
                if self.args.cursors {
                    print_line(format_args!("{} {line}", event.cursor))?;
                } else {
                    print_line(line)?;
                }
            }
            if let Some(Frame::Reconnect(reconnect)) = event.frame {
                sleep(Duration::from_millis(reconnect.after_ms.into())).await;
            }
        }
    }
}

/// Awaits a response, for at most [`SILENCE_MAX`].
async fn unless_silent<T>(
    response: impl Future<Output = Result<T, WatchEnd>>,
) -> Result<T, WatchEnd> {
    let response = timeout(SILENCE_MAX, response).await;
    response.unwrap_or_else(|_| Err(disconnected("no response for a minute")))
}

fn disconnected(what: &str) -> WatchEnd {
    Failure::Disconnected(what.to_owned()).into()
}

/// Formats an event as a line; `None` for frames that only programs need.
fn line(event: &Event) -> Option<String> {
    Some(match event.frame.as_ref()? {
        Frame::MessageReceived(entry) => entry_line("received", entry),
        Frame::MessageUpdated(entry) => entry_line("updated", entry),
        Frame::MessageDeleted(gone) => {
            format!(
                "deleted  {:5}  {}",
                escape(&gone.msgbox),
                escape(&gone.message_id)
            )
        }
        Frame::Counts(counts) => counts_line(counts),
        Frame::CaughtUp(_) => "caught up".to_owned(),
        Frame::Resync(resync) => format!("resync   {}", resync.reason().as_str_name()),
        Frame::Heartbeat(_) | Frame::Reconnect(_) => return None,
    })
}

fn entry_line(what: &str, entry: &MsgboxEntry) -> String {
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

fn counts_line(counts: &BoxCounts) -> String {
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
    use std::fs::OpenOptions;
    use std::io::Write as _;
    use std::net::TcpListener;
    use std::os::unix::fs::OpenOptionsExt as _;

    use clap::Parser;
    use uuid::Uuid;

    use super::*;

    #[derive(Parser)]
    struct TestCommand {
        #[command(flatten)]
        args: Args,
    }

    fn watcher(arguments: &[&str]) -> Watcher {
        let line = ["watch"].iter().chain(arguments);
        Watcher {
            args: TestCommand::parse_from(line).args,
            cursor: String::new(),
            was_accepted: false,
            delay_max: RETRY_DELAY_MIN,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_service_yields_a_disconnect_that_is_retried() {
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = silent.local_addr().expect("an address");
        let token = std::env::temp_dir().join(format!("postroom-token-{}", Uuid::now_v7()));
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&token);
        let file = file.as_mut().expect("a file");
        file.write_all(b"any\n").expect("a token");
        let (path, endpoint) = (token.display().to_string(), format!("http://{address}"));
        let mut watcher = watcher(&["--token-file", &path, "--endpoint", &endpoint]);
        let followed = timeout(SILENCE_MAX * 2, watcher.follow()).await;
        let Err(end) = followed.expect("an end");
        assert!(matches!(end.failure, Failure::Disconnected(_)));
        assert!(watcher.may_retry(&end));
        std::fs::remove_file(token).expect("an end");
    }

    #[test]
    fn a_refused_token_is_retried_only_with_a_new_one() {
        let end = WatchEnd::from(Status::unauthenticated("no"));
        let endpoint = "http://127.0.0.1:1";
        assert!(!watcher(&["--endpoint", endpoint]).may_retry(&end));
        assert!(watcher(&["--as", "bob", "--endpoint", endpoint]).may_retry(&end));
    }
}
