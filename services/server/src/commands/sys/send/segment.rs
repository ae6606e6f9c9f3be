//! A message to the profiles in a file, through `SendToProfiles`.

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
use super::ids::Ids;
use crate::client::{progress, time};
use crate::config::Lifetime;
use crate::failure::Failure;
use crate::limits::SEGMENT_CHUNKS_AHEAD;

const OF_A_FILE: &str = "{bar:30} {bytes}/{total_bytes} {eta} {msg}";
const OF_A_STREAM: &str = "{spinner} {bytes} {msg}";

/// What the reader of the file says: ids, or none at its end.
type Said = Option<Vec<String>>;

/// Sends it, and prints which job delivers it.
///
/// # Errors
/// If the file cannot be used, or the service refuses.
pub async fn send(path: &Path, args: &Args) -> Result<(), Failure> {
    let ids = Ids::open(path)?;
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
    let session = args.reach.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let bar = progress(if ids.bytes.is_some() {
        OF_A_FILE
    } else {
        OF_A_STREAM
    });
    bar.update(|state| state.set_len(ids.bytes.unwrap_or(u64::MAX)));
    let (say, said) = mpsc::channel(SEGMENT_CHUNKS_AHEAD);
    let call = client.send_to_profiles(session.endless(pieces(message, said)));
    let sent = tokio::select! {
        // An answer before the end of the file is a refusal, which says more.
        biased;
        answer = call => answer.map_err(Failure::from),
        failure = failed(ids, say, bar.clone()) => Err(failure),
    };
    bar.finish_and_clear();
    let sent = sent?.into_inner();
    println!("{}", words(&sent));
    Ok(())
}

/// The stream of the call.
///
/// It ends only if the reader has said so. A reader that fails leaves it open until the connection
/// is closed: the end of the stream would send the message to those who are named so far.
fn pieces(
    message: SegmentMessage,
    said: mpsc::Receiver<Said>,
) -> impl Stream<Item = SendToProfilesRequest> {
    let request = |piece| SendToProfilesRequest { piece: Some(piece) };
    let recipients = stream::unfold(said, async |mut said| match said.recv().await {
        Some(Some(profile_ids)) => {
            let recipients = SegmentRecipients { profile_ids };
            Some((Piece::Recipients(recipients), said))
        }
        Some(None) => None,
        None => pending().await,
    });
    let first = stream::iter([Piece::Message(message)]);
    first.chain(recipients).map(request)
}

/// Reads the file on a thread of its own; ends only if that fails.
async fn failed<R>(ids: Ids<R>, say: mpsc::Sender<Said>, bar: ProgressBar) -> Failure
where
    R: BufRead + Send + 'static,
{
    match spawn_blocking(|| read(ids, say, bar)).await {
        Ok(Ok(())) => pending().await,
        Ok(Err(failure)) => failure,
        Err(error) => Failure::Failed(error.into()),
    }
}

/// Says everything that is in the file. It waits for whoever listens, and stops without a word when
/// nobody does any more: then the call has been answered.
#[expect(clippy::needless_pass_by_value, reason = "a thread has them")]
fn read<R: BufRead>(
    mut ids: Ids<R>,
    say: mpsc::Sender<Said>,
    bar: ProgressBar,
) -> Result<(), Failure> {
    let mut count = 0;
    while let Some(chunk) = ids.next_chunk()? {
        count += chunk.ids.len() as u64;
        if say.blocking_send(Some(chunk.ids)).is_err() {
            return Ok(());
        }
        bar.inc(chunk.bytes);
        bar.set_message(format!("{} profiles", HumanCount(count)));
    }
    if count == 0 {
        return Err(ids.names_nobody());
    }
    let _ = say.blocking_send(None);
    bar.set_message(format!(
        "{} profiles; waiting for the answer",
        HumanCount(count)
    ));
    Ok(())
}

fn words(sent: &SendToProfilesResponse) -> String {
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

    /// What a stream has before it ends, and whether it does.
    async fn stream_of(said: impl IntoIterator<Item = Said>) -> (usize, bool) {
        let (say, listen) = mpsc::channel(SEGMENT_CHUNKS_AHEAD);
        for said in said {
            say.send(said).await.expect("a listener");
        }
        drop(say);
        let mut pieces = Box::pin(pieces(SegmentMessage::default(), listen));
        let mut count = 0;
        loop {
            match timeout(Duration::from_mins(1), pieces.next()).await {
                Ok(Some(_)) => count += 1,
                Ok(None) => return (count, true),
                Err(_) => return (count, false),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_stream_ends_only_where_the_file_does() {
        let ids = || Some(vec!["alice".to_owned()]);
        assert_eq!(stream_of([ids(), ids(), None]).await, (3, true));
        assert_eq!(stream_of([ids(), ids()]).await, (3, false));
    }
}
