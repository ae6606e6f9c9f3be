//! Scenarios, each measured for a few seconds.

use clap::ValueEnum;
use serde::Serialize;

use crate::load::script::Script;

/// Clients of pgbench that write, as many as there are calls in flight.
const WRITERS: u32 = 64;
/// Clients of pgbench that read, as many as the service has connections to read with.
const READERS: u32 = 8;
/// Default number of calls in flight.
const IN_FLIGHT: usize = 64;
/// Streams that are open beside calls.
pub const WATCHERS: u64 = 1000;

/// Groups of scenarios that can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Group {
    /// Sends to one recipient: throughput, CPU, latency, WAL
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

/// Measured service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// Postroom, or pgbench, on `PostgreSQL`.
    Postgres,
    /// Postroom on `PostgreSQL` with five times the messages.
    Large,
    /// Postroom on `SQLite`.
    Sqlite,
    /// tonic alone, answering from memory.
    Bare,
    /// tonic within Postroom's layers, answering from memory.
    Layers,
}

/// A scenario, in the order of measurement: a baseline stands right before what is compared with
/// it.
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

/// Load of a scenario.
#[derive(Debug, Clone, Copy)]
pub enum Workload {
    /// pgbench, with a number of clients.
    Pgbench(Script, u32),
    /// Calls, with a number in flight.
    Calls(CallKind, usize),
    /// The first page of every user's inbox, with a number in flight.
    FirstPages(usize),
    /// Calls beside sends of the app to 500 users.
    CallsBeside(CallKind, usize),
    /// Calls beside many streams.
    CallsWatched(CallKind, usize),
    /// Sends at a steady rate, from the reply to the recipient's frame.
    Deliveries,
    /// Deliveries to recipients on another server.
    DeliveriesElsewhere,
    /// Streams are opened and left alone.
    Idle,
}

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// A message to one user.
    Send,
    /// A message to one user with a `request_id`.
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
    /// A call without request and response.
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

    /// Title in tables.
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

    pub const fn job(self) -> Workload {
        match self {
            Self::PgbenchSend => Workload::Pgbench(Script::Send, WRITERS),
            Self::Send | Self::Echo => Workload::Calls(CallKind::Send, IN_FLIGHT),
            Self::SendWatched => Workload::CallsWatched(CallKind::Send, IN_FLIGHT),
            Self::SendMany => Workload::Calls(CallKind::Send, 512),
            Self::SendWithRequestId => Workload::Calls(CallKind::SendWithRequestId, IN_FLIGHT),
            Self::SendBeside => Workload::CallsBeside(CallKind::Send, IN_FLIGHT),
            Self::PgbenchSendToTen => Workload::Pgbench(Script::SendToTen, WRITERS),
            Self::SendToTen => Workload::Calls(CallKind::SendToTen, IN_FLIGHT),
            Self::PgbenchHot => Workload::Pgbench(Script::SendHot, WRITERS),
            Self::Hot => Workload::Calls(CallKind::SendHot, IN_FLIGHT),
            Self::Mark => Workload::Calls(CallKind::Mark, IN_FLIGHT),
            Self::PgbenchPage => Workload::Pgbench(Script::Page, READERS),
            Self::FirstPage => Workload::FirstPages(IN_FLIGHT),
            Self::Page => Workload::Calls(CallKind::Page, IN_FLIGHT),
            Self::Empty => Workload::Calls(CallKind::Empty, IN_FLIGHT),
            Self::Counts => Workload::Calls(CallKind::Counts, IN_FLIGHT),
            Self::Deliver => Workload::Deliveries,
            Self::DeliverElsewhere => Workload::DeliveriesElsewhere,
            Self::Idle => Workload::Idle,
        }
    }

    /// True for scenarios that read only.
    pub const fn reads(self) -> bool {
        matches!(
            self,
            Self::FirstPage | Self::PgbenchPage | Self::Page | Self::Empty | Self::Counts
        )
    }

    /// True for scenarios that can be measured once only.
    pub const fn is_once(self) -> bool {
        matches!(self, Self::FirstPage)
    }

    /// True for scenarios that write.
    pub const fn writes(self) -> bool {
        !matches!(
            self.job(),
            Workload::Pgbench(Script::Page, _)
                | Workload::Calls(CallKind::Page | CallKind::Counts | CallKind::Empty, _)
                | Workload::FirstPages(_)
                | Workload::Idle
        )
    }

    /// Targets of the scenario.
    pub const fn targets(self) -> &'static [Target] {
        match self.job() {
            Workload::Pgbench(..) | Workload::DeliveriesElsewhere => &[Target::Postgres],
            Workload::FirstPages(_) | Workload::Calls(CallKind::Page, _) => {
                &[Target::Postgres, Target::Large, Target::Sqlite]
            }
            Workload::Calls(CallKind::Empty, _) => &[Target::Bare],
            Workload::Calls(..) if matches!(self, Self::Echo) => &[Target::Bare, Target::Layers],
            Workload::Calls(..)
            | Workload::CallsBeside(..)
            | Workload::CallsWatched(..)
            | Workload::Deliveries
            | Workload::Idle => &[Target::Postgres, Target::Sqlite],
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
    /// Title in tables.
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
