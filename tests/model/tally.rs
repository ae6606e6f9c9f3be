//! What the dice have led to: a test in which hardly anything happens is blind.

use std::collections::BTreeMap;

use domain::{Action, Outcome, Refusal};

use super::reference::Deed;

/// Each of these must have happened so often at the least.
pub const OFTEN: u64 = 5;

/// How often each kind of deed had each kind of outcome.
#[derive(Debug, Default)]
pub struct Tally(BTreeMap<(&'static str, &'static str), u64>);

impl Tally {
    pub fn add(&mut self, deed: &Deed, verdict: &Result<Outcome, Refusal>) {
        *self.0.entry((kind(deed), result(verdict))).or_insert(0) += 1;
    }

    pub fn assert_not_blind(&self) {
        for expected in [
            ("send", "done"),
            ("send", "invalid"),
            ("send", "not allowed"),
            ("send", "box full"),
            ("send", "request id reused"),
            ("send bulk", "done"),
            ("send bulk", "invalid"),
            ("mark", "changed"),
            ("delete", "changed"),
            ("clear", "changed"),
            ("recall", "changed"),
            ("recall", "unchanged"),
            ("recall", "not allowed"),
            ("edit", "done"),
            ("edit", "invalid"),
            ("edit", "not allowed"),
            ("edit", "not found"),
            ("edit", "version mismatch"),
            ("update", "done"),
            ("update", "version mismatch"),
            ("remove one", "done"),
            ("remove one", "not found"),
            ("remove one", "version mismatch"),
            ("remove", "changed"),
            ("configure", "done"),
            ("configure", "version mismatch"),
        ] {
            let times = self.0.get(&expected).copied().unwrap_or(0);
            assert!(
                times >= OFTEN,
                "{expected:?} only {times} times: {:#?}",
                self.0
            );
        }
    }
}

const fn kind(deed: &Deed) -> &'static str {
    match deed {
        Deed::Send(_) | Deed::Act(Action::Deliver(_)) => "send",
        Deed::Act(Action::Open(_)) => "open",
        Deed::Act(Action::Settle(_)) => "settle",
        Deed::Act(Action::SendBulk(_)) => "send bulk",
        Deed::Act(Action::Launch(_)) => "launch",
        Deed::Act(Action::Advance(_)) => "advance",
        Deed::Act(Action::StopJob(_)) => "stop job",
        Deed::Act(Action::Mark(_)) => "mark",
        Deed::Act(Action::MarkDelivered(_)) => "mark delivered",
        Deed::Act(Action::Delete(_)) => "delete",
        Deed::Act(Action::Clear(_)) => "clear",
        Deed::Act(Action::Recall(_)) => "recall",
        Deed::Act(Action::Edit(_)) => "edit",
        Deed::Act(Action::Update(_)) => "update",
        Deed::Act(Action::RemoveOne(_)) => "remove one",
        Deed::Act(Action::Remove(_)) => "remove",
        Deed::Act(Action::Trim(_)) => "trim",
        Deed::Act(Action::Configure(_)) => "configure",
    }
}

const fn result(verdict: &Result<Outcome, Refusal>) -> &'static str {
    match verdict {
        Ok(Outcome::Changed(0)) => "unchanged",
        Ok(Outcome::Changed(_)) => "changed",
        Ok(_) => "done",
        Err(Refusal::Invalid(_)) => "invalid",
        Err(Refusal::NotFound) => "not found",
        Err(Refusal::VersionMismatch { .. }) => "version mismatch",
        Err(Refusal::NotAllowed) => "not allowed",
        Err(Refusal::RequestIdReused) => "request id reused",
        Err(Refusal::BoxFull) => "box full",
    }
}
