//! `ListConversations`: the conversations of a user, the latest first.
//!
//! A user has few: each page reads which they are, and looks up those that it shows.

use std::cmp::Reverse;

use domain::conversation::Participation;
use domain::limits::CONVERSATIONS_PER_ANSWER_MAX;
use domain::number::saturating;
use domain::{ConversationId, Millis};
use proto::internal::v1::ConversationPageToken;
use proto::v1::{ListConversationsRequest, ListConversationsResponse};
use rpc::convert::conversation;
use rpc::convert::token::Binding;
use rpc::methods::conversations::LIST_CONVERSATIONS;
use rpc::{RpcError, User};
use storage::{Budget, Cost, MailStore};

/// Place in the list.
type ListPlace = (Millis, ConversationId);

pub async fn handle(
    store: &dyn MailStore,
    user: User,
    request: ListConversationsRequest,
    budget: Budget,
) -> Result<ListConversationsResponse, RpcError> {
    let (app, owner) = (user.app(), user.profile());
    let binding = Binding {
        app,
        owner: Some(owner),
        method: LIST_CONVERSATIONS.path,
    };
    let before = parse(&binding, &request.page_token)?;
    let all = store.participations(app, owner).await?;
    budget.account.charge(Cost::Rows(all.len()));
    let (page, is_last) = page(&all, before, request.page_size);
    let ids: Vec<ConversationId> = page.iter().map(|(_, id)| *id).collect();
    let found = store.conversations(app, owner, &ids).await?;
    let next = page.last().filter(|_| !is_last).map(|(time, id)| {
        binding.seal(&ConversationPageToken {
            create_ms: time.0,
            conversation_id: id.uuid().as_bytes().to_vec(),
        })
    });
    Ok(ListConversationsResponse {
        conversations: found.iter().map(conversation::show).collect(),
        next_page_token: next.unwrap_or_default(),
        total_count: saturating(all.len()),
    })
}

/// Returns the places on the page before a place, or on the first one, and whether it is the last.
fn page(all: &[Participation], before: Option<ListPlace>, size: u32) -> (Vec<ListPlace>, bool) {
    let size = match size {
        0 => CONVERSATIONS_PER_ANSWER_MAX,
        size => size.min(CONVERSATIONS_PER_ANSWER_MAX),
    };
    let places = all.iter().map(|it| (it.create_ms, it.conversation_id));
    let mut places: Vec<ListPlace> = places
        .filter(|place| before.is_none_or(|before| *place < before))
        .collect();
    places.sort_unstable_by_key(|place| Reverse(*place));
    let is_last = places.len() <= saturating::<usize, _>(size);
    places.truncate(saturating(size));
    (places, is_last)
}

/// Returns the place in a page token; none for the first page.
fn parse(binding: &Binding<'_>, token: &str) -> Result<Option<ListPlace>, RpcError> {
    if token.is_empty() {
        return Ok(None);
    }
    let token: ConversationPageToken = binding.open(token).ok_or(RpcError::PageContextInvalid)?;
    let id = ConversationId::from_slice(&token.conversation_id);
    let id = id.ok_or(RpcError::PageContextInvalid)?;
    Ok(Some((Millis(token.create_ms), id)))
}
