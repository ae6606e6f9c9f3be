//! `postroom sys export`: what is kept about a user, as JSON lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args as Arguments;
use prost::Message as _;
use prost_types::Timestamp;
use proto::sys::v1::sys_client::SysClient;
use proto::sys::v1::{ExportProfileRequest, ExportProfileResponse, ExportedProfile};
use proto::v1::content::Body;
use proto::v1::{Message, MsgboxEntry};
use serde_json::{Value, json};

use crate::client::{SysArgs, decode_json};
use crate::failure::Failure;
use crate::output::print_json;

const EXAMPLES: &str = "\
Example:
  postroom sys export bob > bob.jsonl";

/// Export what is kept about a user, one JSON object on each line
#[derive(Debug, Arguments)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Profile id of the user
    profile_id: String,
    #[command(flatten)]
    endpoint: SysArgs,
}

pub async fn run(args: Args) -> Result<(), Failure> {
    let session = args.endpoint.connect().await?;
    let mut client = SysClient::new(session.channel.clone());
    let mut page_token = String::new();
    loop {
        let request = session.request(ExportProfileRequest {
            profile_id: args.profile_id.clone(),
            page_token,
        });
        let page = client.export_profile(request).await?.into_inner();
        for line in lines(&page) {
            print_json(&line)?;
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(());
        }
    }
}

fn lines(page: &ExportProfileResponse) -> Vec<Value> {
    let profile = page.profile.iter().map(profile);
    let blocked = page.blocked_profile_ids.iter();
    let blocked = blocked.map(|it| json!({ "kind": "block", "profile_id": it }));
    let entries = page.entries.iter().map(entry);
    let sent = page
        .sent_messages
        .iter()
        .map(|it| message("sent_message", it));
    let received = page.received_messages.iter();
    let received = received.map(|it| message("received_message", it));
    let of_profile = profile.chain(blocked);
    of_profile
        .chain(entries)
        .chain(sent)
        .chain(received)
        .collect()
}

fn profile(profile: &ExportedProfile) -> Value {
    let boxes = profile.boxes.iter();
    let boxes = boxes.map(|it| json!({ "name": it.name, "total": it.total, "unread": it.unread }));
    json!({
        "kind": "profile",
        "profile_id": profile.profile_id,
        "boxes": boxes.collect::<Vec<_>>(),
        "tokens_revoked_before": instant(profile.tokens_revoked_before.as_ref()),
        "erasure_request_time": instant(profile.erasure_request_time.as_ref()),
        "erasure_done_time": instant(profile.erasure_done_time.as_ref()),
    })
}

fn entry(entry: &MsgboxEntry) -> Value {
    json!({
        "kind": "entry",
        "msgbox": entry.msgbox,
        "read_time": instant(entry.read_time.as_ref()),
        "delivered_time": instant(entry.delivered_time.as_ref()),
        "message": entry.message.as_ref().map(|it| message("message", it)),
    })
}

fn message(kind: &str, message: &Message) -> Value {
    let sender = message.sender.as_ref();
    let sender =
        sender.map(|it| json!({ "profile_id": it.profile_id, "name": it.name, "pic": it.pic }));
    json!({
        "kind": kind,
        "message_id": message.message_id,
        "sender": sender,
        "to": message.to,
        "send_time": instant(message.send_time.as_ref()),
        "update_time": instant(message.update_time.as_ref()),
        "expire_time": instant(message.expire_time.as_ref()),
        "size_bytes": message.size_bytes,
        "content": message.content.as_ref().map(content),
    })
}

/// JSON contents as they are, others in base64 as they are sent.
fn content(content: &proto::v1::Content) -> Value {
    let json = match &content.body {
        Some(Body::Json(encoded)) => decode_json(encoded).ok(),
        _ => None,
    };
    json.map_or_else(
        || json!({ "base64": STANDARD.encode(content.encode_to_vec()) }),
        |json| json!({ "json": json }),
    )
}

fn instant(time: Option<&Timestamp>) -> Option<String> {
    let time = jiff::Timestamp::new(time?.seconds, time?.nanos).ok()?;
    Some(format!("{time:.3}"))
}
