//! What is measured, each for a few seconds.

use clap::ValueEnum;
use serde::Serialize;

use crate::load::script::Script;

/// Clients of pgbench that write, as many as there are calls in flight.
const WRITERS: u32 = 64;
/// Clients of pgbench that read, as many as the service has connections to read with.
const READERS: u32 = 8;
/// Calls in flight, unless it says otherwise.
const IN_FLIGHT: usize = 64;
/// Streams that are open beside calls.
pub const WATCHERS: u64 = 1000;

/// What can be chosen to be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Group {
    /// One recipient: throughput, CPU, latency, WAL
    Sends,
    /// Ten recipients
    Recipients,
    /// Two users who write to each other
    Hot,
    /// Sends beside a stream of sends to 500
    Beside,
    /// Marking as read
    Marks,
    /// Pages of 20
    Pages,
    /// Counts
    Counts,
    /// The layers around every call
    Layers,
    /// Users who follow their mailboxes
    Subscribe,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Postroom, or pgbench, on `PostgreSQL`.
    Postgres,
    /// The same with five times the messages.
    Large,
    /// Postroom on `SQLite`.
    Sqlite,
    /// tonic alone, answering from memory.
    Bare,
    /// The same within Postroom's layers.
    Layers,
}

/// One thing to measure. The order is the one in which they are, a baseline right before
/// what is compared with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scenario {
    PgbenchSend,
    Send,
    SendWatched,
    SendMany,
    SendWithRequestId,
    SendBeside,
    PgbenchSendToTen,
    SendToTen,
    PgbenchHot,
    Hot,
    Mark,
    FirstPage,
    PgbenchPage,
    Page,
    Empty,
    Counts,
    Echo,
    Deliver,
    DeliverElsewhere,
    Idle,
}

/// How it is measured.
#[derive(Debug, Clone, Copy)]
pub enum Job {
    /// By pgbench, with so many clients.
    Pgbench(Script, u32),
    /// By calls, so many in flight.
    Calls(Work, usize),
    /// The first page of every user's inbox, so many at a time.
    FirstPages(usize),
    /// Calls, while the app writes to 500 users at once, again and again.
    CallsBeside(Work, usize),
    /// The same, while many users follow their mailboxes.
    CallsWatched(Work, usize),
    /// Sends at a steady rate, from the reply to the recipient's frame.
    Deliveries,
    /// The same, with the recipient on another server.
    DeliveriesElsewhere,
    /// Streams are opened and left alone.
    Idle,
}

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A message to one user.
    Send,
    /// The same with a `request_id` of its own.
    SendWithRequestId,
    /// A message to ten users.
    SendToTen,
    /// A message to a hundred users.
    SendToHundred,
    /// A message between always the same two users.
    SendHot,
    /// Marks a message as read, or as unread once all of them are read.
    Mark,
    /// The first page of an inbox.
    Page,
    /// The counts of a mailbox.
    Counts,
    /// Nothing in, nothing out.
    Empty,
    /// A message of the app to 500 users.
    Announce,
}

impl Scenario {
    pub const ALL: [Self; 20] = [
        Self::PgbenchSend,
        Self::Send,
        Self::SendWatched,
        Self::SendMany,
        Self::SendWithRequestId,
        Self::SendBeside,
        Self::PgbenchSendToTen,
        Self::SendToTen,
        Self::PgbenchHot,
        Self::Hot,
        Self::Mark,
        Self::FirstPage,
        Self::PgbenchPage,
        Self::Page,
        Self::Empty,
        Self::Counts,
        Self::Echo,
        Self::Deliver,
        Self::DeliverElsewhere,
        Self::Idle,
    ];

    /// What it is for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::PgbenchSend => "pgbench: a transaction per send, 64 clients",
            Self::Send => "SendMessage, 64 in flight",
            Self::SendWatched => "SendMessage, 64 in flight, 1,000 subscribers",
            Self::SendMany => "SendMessage, 512 in flight",
            Self::SendWithRequestId => "SendMessage with request_id, 64 in flight",
            Self::SendBeside => "SendMessage, 64 in flight, beside sends to 500",
            Self::PgbenchSendToTen => "pgbench: the same with 10 recipients",
            Self::SendToTen => "SendMessage to 10, 64 in flight",
            Self::PgbenchHot => "pgbench: the same between two users",
            Self::Hot => "SendMessage between two users, 64 in flight",
            Self::Mark => "MarkMessagesRead, 64 in flight",
            Self::PgbenchPage => "pgbench: a page of 20, 8 clients",
            Self::FirstPage => "GetMessagesPage of 20, of messages not read before",
            Self::Page => "GetMessagesPage of 20, 64 in flight",
            Self::Empty => "an empty call, 64 in flight",
            Self::Counts => "GetMessageCounts, 64 in flight",
            Self::Echo => "SendMessage answered from memory, 64 in flight",
            Self::Deliver => "from the reply to the frame, 50 sends a second",
            Self::DeliverElsewhere => "the same, the subscriber on another replica",
            Self::Idle => "Subscribe, idle, 100 streams a connection",
        }
    }

    pub const fn job(self) -> Job {
        match self {
            Self::PgbenchSend => Job::Pgbench(Script::Send, WRITERS),
            Self::Send | Self::Echo => Job::Calls(Work::Send, IN_FLIGHT),
            Self::SendWatched => Job::CallsWatched(Work::Send, IN_FLIGHT),
            Self::SendMany => Job::Calls(Work::Send, 512),
            Self::SendWithRequestId => Job::Calls(Work::SendWithRequestId, IN_FLIGHT),
            Self::SendBeside => Job::CallsBeside(Work::Send, IN_FLIGHT),
            Self::PgbenchSendToTen => Job::Pgbench(Script::SendToTen, WRITERS),
            Self::SendToTen => Job::Calls(Work::SendToTen, IN_FLIGHT),
            Self::PgbenchHot => Job::Pgbench(Script::SendHot, WRITERS),
            Self::Hot => Job::Calls(Work::SendHot, IN_FLIGHT),
            Self::Mark => Job::Calls(Work::Mark, IN_FLIGHT),
            Self::PgbenchPage => Job::Pgbench(Script::Page, READERS),
            Self::FirstPage => Job::FirstPages(IN_FLIGHT),
            Self::Page => Job::Calls(Work::Page, IN_FLIGHT),
            Self::Empty => Job::Calls(Work::Empty, IN_FLIGHT),
            Self::Counts => Job::Calls(Work::Counts, IN_FLIGHT),
            Self::Deliver => Job::Deliveries,
            Self::DeliverElsewhere => Job::DeliveriesElsewhere,
            Self::Idle => Job::Idle,
        }
    }

    /// Whether it reads what everybody has.
    pub const fn reads(self) -> bool {
        matches!(
            self,
            Self::FirstPage | Self::PgbenchPage | Self::Page | Self::Empty | Self::Counts
        )
    }

    /// Whether it cannot be done twice: after it nothing is unread any more.
    pub const fn is_once(self) -> bool {
        matches!(self, Self::FirstPage)
    }

    /// Whether it changes data.
    pub const fn writes(self) -> bool {
        !matches!(
            self.job(),
            Job::Pgbench(Script::Page, _)
                | Job::Calls(Work::Page | Work::Counts | Work::Empty, _)
                | Job::FirstPages(_)
                | Job::Idle
        )
    }

    /// What it is measured on.
    pub const fn targets(self) -> &'static [Target] {
        match self.job() {
            Job::Pgbench(..) | Job::DeliveriesElsewhere => &[Target::Postgres],
            Job::FirstPages(_) | Job::Calls(Work::Page, _) => {
                &[Target::Postgres, Target::Large, Target::Sqlite]
            }
            Job::Calls(Work::Empty, _) => &[Target::Bare],
            Job::Calls(..) if matches!(self, Self::Echo) => &[Target::Bare, Target::Layers],
            Job::Calls(..)
            | Job::CallsBeside(..)
            | Job::CallsWatched(..)
            | Job::Deliveries
            | Job::Idle => &[Target::Postgres, Target::Sqlite],
        }
    }

    /// The groups that need it.
    pub const fn groups(self) -> &'static [Group] {
        match self {
            Self::PgbenchSend | Self::SendMany | Self::SendWithRequestId => &[Group::Sends],
            // What further recipients, a stream of others and subscribers cost is seen beside it.
            Self::Send => &[
                Group::Sends,
                Group::Recipients,
                Group::Beside,
                Group::Subscribe,
            ],
            Self::SendBeside => &[Group::Beside],
            Self::PgbenchSendToTen | Self::SendToTen => &[Group::Recipients],
            Self::PgbenchHot | Self::Hot => &[Group::Hot],
            Self::Mark => &[Group::Marks],
            Self::FirstPage | Self::PgbenchPage | Self::Page => &[Group::Pages],
            Self::Empty | Self::Counts => &[Group::Counts],
            Self::Echo => &[Group::Layers],
            Self::SendWatched | Self::Deliver | Self::DeliverElsewhere | Self::Idle => {
                &[Group::Subscribe]
            }
        }
    }
}

impl Target {
    /// What it is for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Large => "PostgreSQL, 5 ×",
            Self::Sqlite => "SQLite",
            Self::Bare => "bare tonic",
            Self::Layers => "tonic + layers",
        }
    }
}
