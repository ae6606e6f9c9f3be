//! Streams what happens to the caller's mailbox.
//!
//! A [follower](follow) reads the feed whenever there may be something to see, and puts
//! frames into an [outlet](outlet) that holds as much as a slow reader may cost. Nothing is
//! held between reads but where the reader is.

mod follow;
mod outlet;

use std::sync::Arc;

use domain::Violations;
use domain::limits::STREAMS_PER_PROFILE_MAX;
use proto::v1::SubscribeRequest;
use realtime::{Hub, Refused};
use rpc::convert::feed::{self, Lens};
use rpc::{RpcError, TokenEnd, User};
use storage::{FeedLimits, FeedStart, MailStore};
use tokio::sync::Semaphore;
use tonic::Request;

use crate::pace::Pace;
use follow::{Ends, Follower, Reader};
pub use outlet::Frames;
use outlet::Outlet;

/// Streams that note deliveries at once: no more than go into one batch, so that they leave
/// room for what others write.
const NOTERS_MAX: usize = 256;

/// What all streams share.
pub struct Streams {
    hub: Arc<Hub>,
    pace: Pace,
    /// Room for those who note deliveries.
    noters: Semaphore,
}

impl Streams {
    /// None yet.
    pub fn new(hub: Arc<Hub>, pace: Pace) -> Arc<Self> {
        Arc::new(Self {
            hub,
            pace,
            noters: Semaphore::new(NOTERS_MAX),
        })
    }
}

pub async fn handle(
    store: Arc<dyn MailStore>,
    streams: &Arc<Streams>,
    request: Request<SubscribeRequest>,
) -> Result<Frames, RpcError> {
    let user = User::of(&request)?;
    let ends = Ends {
        life: streams.pace.end_of_life(),
        token: TokenEnd::of(&request)?.at(),
    };
    let request = request.into_inner();
    let lens = parse(&request)?;
    let since = feed::since(&request.cursor, user.app(), user.profile())?;
    // Only to know the mailbox, and where its head is: what there is to see is read once it
    // is followed.
    let nothing = FeedLimits {
        changes_max: 0,
        bytes_max: 0,
    };
    let read = store
        .changes(user.app(), user.profile(), FeedStart::Head, nothing)
        .await?;
    let since = match since {
        FeedStart::Head => FeedStart::After(read.reached),
        since => since,
    };
    let subscription = streams.hub.subscribe(read.mailbox, STREAMS_PER_PROFILE_MAX);
    let subscription = subscription.map_err(|refused| match refused {
        Refused::TooMany => RpcError::TooManyStreams,
        Refused::Draining => RpcError::Draining,
    })?;
    let (outlet, frames) = Outlet::new(
        user.clone(),
        lens,
        subscription.place(),
        streams.pace.patience,
    );
    let reader = Reader { user, lens, since };
    let follower = Follower::new(
        store,
        subscription,
        outlet,
        reader,
        ends,
        Arc::clone(streams),
    );
    tokio::spawn(follower.run());
    Ok(frames)
}

fn parse(request: &SubscribeRequest) -> Result<Lens, Violations> {
    let mut violations = Violations::none();
    let lens = Lens::parse(&request.msgboxes, request.view, &mut violations);
    violations.finish(Some(lens))
}
