//! `Subscribe`: streams the changes of the caller's mailbox.
//!
//! A [task](stream_task) for each stream reads the feed after each change, and writes frames to a
//! bounded [buffer](send_buffer). Between reads it holds only the position of its reader.

mod lag;
mod send_buffer;
mod stream_task;

use std::sync::Arc;

use domain::Violations;
use domain::limits::STREAMS_PER_PROFILE_MAX;
use proto::v1::SubscribeRequest;
use realtime::{Hub, SubscribeError};
use rpc::convert::feed::{self, FeedFilter};
use rpc::{Revocations, RpcError, User};
use storage::{FeedLimits, FeedStart, MailStore};
use telemetry::{FeedMetrics, StreamMetrics};
use tokio::sync::Semaphore;

use crate::stream_timing::StreamTiming;
pub use send_buffer::FrameStream;
use send_buffer::SendBuffer;
use stream_task::{FeedReader, StreamDeadlines, StreamTask};

/// Maximum number of streams that mark deliveries at the same time: as many as fit into one
/// batch, so that other writes are not delayed.
const DELIVERY_MARKERS_MAX: usize = 256;

/// State shared by all streams.
pub struct Streams {
    hub: Arc<Hub>,
    timing: StreamTiming,
    revocations: Arc<Revocations>,
    /// Permits for marking deliveries.
    delivery_markers: Semaphore,
    metrics: StreamMetrics,
    feed_metrics: FeedMetrics,
}

impl Streams {
    pub fn new(hub: Arc<Hub>, timing: StreamTiming, revocations: Arc<Revocations>) -> Arc<Self> {
        Arc::new(Self {
            hub,
            timing,
            revocations,
            delivery_markers: Semaphore::new(DELIVERY_MARKERS_MAX),
            metrics: StreamMetrics::new(),
            feed_metrics: FeedMetrics::new(),
        })
    }
}

pub async fn handle(
    store: Arc<dyn MailStore>,
    streams: &Arc<Streams>,
    user: User,
    request: SubscribeRequest,
) -> Result<FrameStream, RpcError> {
    let deadlines = StreamDeadlines {
        max_age: streams.timing.max_age_at(),
        token_expiry: user.token_expiry(),
    };
    let filter = parse(&request)?;
    let since = feed::since(&request.cursor, user.app(), user.profile())?;
    // Reads only the mailbox and its head; changes are read after the subscription, so that
    // none is missed.
    let nothing = FeedLimits {
        only: None,
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
    let subscription = subscription.map_err(|error| match error {
        SubscribeError::TooManyStreams => RpcError::TooManyStreams,
        SubscribeError::Draining => RpcError::Draining,
    })?;
    let (buffer, frames) = SendBuffer::new(
        user.clone(),
        filter,
        subscription.slot(),
        streams.timing.slow_reader_timeout,
        streams.metrics.clone(),
    );
    let reader = FeedReader {
        user,
        filter,
        since,
    };
    let task = StreamTask::new(
        store,
        subscription,
        buffer,
        reader,
        deadlines,
        Arc::clone(streams),
    );
    tokio::spawn(task.run());
    Ok(frames)
}

fn parse(request: &SubscribeRequest) -> Result<FeedFilter, Violations> {
    let mut violations = Violations::none();
    let filter = FeedFilter::parse(&request.msgboxes, request.view, &mut violations);
    violations.finish(Some(filter))
}
