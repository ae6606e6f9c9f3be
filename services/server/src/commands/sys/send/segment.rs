//! Sends a message to the profiles in a file, by `SendToProfiles`.

use std::future::pending;
use std::io::BufRead;
use std::path::Path;

use futures::{Stream, StreamExt as _, stream};
use indicatif::{HumanCount, ProgressBar};
use proto::sys::v1::send_to_profiles_request::Piece;
use proto::sys::v1::sys_client::SysClient;
use proto::sys::v1::{
    SegmentMessage, SegmentRecipients, SendToProfilesRequest, SendToProfilesResponse,
};
use proto::v1::Sender;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::Args;
use super::recipient_file::RecipientFile;
use crate::client::{progress, time};
use crate::config::Lifetime;
use crate::failure::Failure;
use crate::limits::SEGMENT_CHUNKS_AHEAD;
use crate::output::print_line;

const FILE_BAR: &str = "{bar:30} {bytes}/{total_bytes} {eta} {msg}";
const STREAM_BAR: &str = "{spinner} {bytes} {msg}";

/// Item from the reader of the file: profile ids, or `None` at the end of the file.
type IdsOrEnd = Option<Vec<String>>;

/// Sends the message, and prints the id of the job that delivers it.
///
/// # Errors
/// If the file is not usable, or the service refuses the message.
pub async fn send(path: &Path, args: &Args) -> Result<(), Failure> {
    let file = RecipientFile::open(path, args.header)?;
    let message = SegmentMessage {
        content: Some(args.message.content()?),
        sender: Some(Sender {
            name: args.from_name.clone(),
            ..Sender::default()
        }),
        request_id: args.message.request_id(),
        expire_after: args.expire_after.map(Lifetime::to_proto),
        ..SegmentMessage::default()
    };
    let session = args.endpoint.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let bar = progress(if file.bytes.is_some() {
        FILE_BAR
    } else {
        STREAM_BAR
    });
    bar.update(|state| state.set_len(file.bytes.unwrap_or(u64::MAX)));
    let (sender, receiver) = mpsc::channel(SEGMENT_CHUNKS_AHEAD);
    let call = client.send_to_profiles(session.streaming_request(requests(message, receiver)));
    let sent = tokio::select! {
        // A response before the end of the file is a refusal, and more precise than a failure
        // of the reader.
        biased;
        response = call => response.map_err(Failure::from),
        failure = read_failure(file, sender, bar.clone()) => Err(failure),
    };
    bar.finish_and_clear();
    let sent = sent?.into_inner();
    print_line(describe(&sent))
}

/// Request stream of the call.
///
/// It ends only at the end of the file. If the reader fails, it stays open until the connection is
/// closed: the end of the stream would send the message to the recipients so far.
fn requests(
    message: SegmentMessage,
    receiver: mpsc::Receiver<IdsOrEnd>,
) -> impl Stream<Item = SendToProfilesRequest> {
    let request = |piece| SendToProfilesRequest { piece: Some(piece) };
    let recipients = stream::unfold(receiver, async |mut receiver| match receiver.recv().await {
        Some(Some(profile_ids)) => {
            let recipients = SegmentRecipients { profile_ids };
            Some((Piece::Recipients(recipients), receiver))
        }
        Some(None) => None,
        None => pending().await,
    });
    let first = stream::iter([Piece::Message(message)]);
    first.chain(recipients).map(request)
}

/// Reads the file on a thread of its own. Completes only if that fails, with the failure.
async fn read_failure<R>(
    file: RecipientFile<R>,
    sender: mpsc::Sender<IdsOrEnd>,
    bar: ProgressBar,
) -> Failure
where
    R: BufRead + Send + 'static,
{
    match spawn_blocking(|| read(file, sender, bar)).await {
        Ok(Ok(())) => pending().await,
        Ok(Err(failure)) => failure,
        Err(error) => Failure::Failed(error.into()),
    }
}

/// Reads the file into the channel. Stops without an error when the receiver is gone, because then
/// the call has been answered.
#[expect(clippy::needless_pass_by_value, reason = "the thread owns them")]
fn read<R: BufRead>(
    mut file: RecipientFile<R>,
    sender: mpsc::Sender<IdsOrEnd>,
    bar: ProgressBar,
) -> Result<(), Failure> {
    let mut count = 0;
    while let Some(chunk) = file.next_chunk()? {
        count += chunk.ids.len() as u64;
        if sender.blocking_send(Some(chunk.ids)).is_err() {
            return Ok(());
        }
        bar.inc(chunk.bytes);
        bar.set_message(format!("{} profiles", HumanCount(count)));
    }
    if count == 0 {
        return Err(file.empty());
    }
    let _ = sender.blocking_send(None);
    bar.set_message(format!(
        "{} profiles; waiting for the response",
        HumanCount(count)
    ));
    Ok(())
}

fn describe(sent: &SendToProfilesResponse) -> String {
    let counts = sent.counts.unwrap_or_default();
    format!(
        "{} to {} profiles, {} duplicates, until {}\njob {}",
        sent.message_id,
        counts.accepted,
        counts.duplicates,
        time(sent.expire_time.as_ref()),
        sent.job_id
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    /// Returns the number of requests of the stream, and whether it ends.
    async fn stream_of(items: impl IntoIterator<Item = IdsOrEnd>) -> (usize, bool) {
        let (sender, receiver) = mpsc::channel(SEGMENT_CHUNKS_AHEAD);
        for item in items {
            sender.send(item).await.expect("a receiver");
        }
        drop(sender);
        let mut requests = Box::pin(requests(SegmentMessage::default(), receiver));
        let mut count = 0;
        loop {
            match timeout(Duration::from_mins(1), requests.next()).await {
                Ok(Some(_)) => count += 1,
                Ok(None) => return (count, true),
                Err(_) => return (count, false),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_request_stream_ends_only_at_the_end_of_the_file() {
        let ids = || Some(vec!["alice".to_owned()]);
        assert_eq!(stream_of([ids(), ids(), None]).await, (3, true));
        assert_eq!(stream_of([ids(), ids()]).await, (3, false));
    }
}
