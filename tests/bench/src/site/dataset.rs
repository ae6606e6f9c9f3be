//! The users and messages that are there at the start.
//!
//! Everything about them follows from two numbers, so that a call can name a message
//! without having read it. In each round every user writes one message and receives one:
//! the message `i` is of round `i / profiles`.

use uuid::Uuid;

/// Minimum number of users, enough for sends to 500 others.
pub const PROFILES_MIN: u64 = 600;
/// Between two rounds.
pub const ROUND_MS: u64 = 60_000;
/// Added to a user's number, it is the mailbox's.
pub const FIRST_MAILBOX: u64 = 1000;

/// Users and messages.
#[derive(Debug, Clone, Copy)]
pub struct Dataset {
    profiles: u64,
    rounds: u64,
    begin_ms: u64,
}

impl Dataset {
    /// A dataset of users and messages in whole rounds. The last message was sent just before
    /// `now_ms`.
    pub const fn new(profiles: u64, messages: u64, now_ms: u64) -> Self {
        let rounds = messages / profiles;
        Self {
            profiles,
            rounds,
            begin_ms: now_ms - rounds * ROUND_MS,
        }
    }

    pub const fn profiles(&self) -> u64 {
        self.profiles
    }

    pub const fn rounds(&self) -> u64 {
        self.rounds
    }

    pub const fn messages(&self) -> u64 {
        self.profiles * self.rounds
    }

    /// Time of the first round, in milliseconds since the epoch.
    pub const fn begin_ms(&self) -> u64 {
        self.begin_ms
    }

    /// The id of the message that a user received in a round: as in [`crate::site::stock`], the
    /// recipient is the sender's neighbour at the distance 1 + round.
    pub fn received(&self, user: u64, round: u64) -> String {
        let distance = 1 + round % (self.profiles - 1);
        let sender = (user + self.profiles - distance) % self.profiles;
        let number = round * self.profiles + sender;
        let sent_ms = self.begin_ms + round * ROUND_MS;
        let id = (u128::from(sent_ms) << 80) | (0x7000_8000_u128 << 48) | u128::from(number);
        Uuid::from_u128(id).to_string()
    }
}

/// Profile id of a user.
pub fn profile(user: u64) -> String {
    format!("u{user}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_hold_the_time_the_version_and_the_number() {
        let dataset = Dataset::new(1_000, 50_000, 1_700_003_000_000);
        assert_eq!(dataset.begin_ms(), 1_700_000_000_000);
        assert_eq!(
            dataset.received(5, 0),
            "018bcfe5-6800-7000-8000-000000000004"
        );
        assert_eq!(
            dataset.received(1, 2),
            "018bcfe7-3cc0-7000-8000-000000000bb6"
        );
    }
}
