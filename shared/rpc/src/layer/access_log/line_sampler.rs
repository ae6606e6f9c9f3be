//! Sampling of log lines that callers can cause at will.

use std::collections::HashMap;
use std::mem;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use domain::{AppId, ProfileId};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{Level, event};

use super::pseudonym::PseudonymKey;
use crate::layer::call_info::CallInfo;
use crate::limits::{LINE_SAMPLE_INTERVAL, SAMPLED_CALLERS_MAX};
use crate::peer_network::network;

/// Sampler of lines: one for each caller and level in an interval, and the number of the others
/// at its end, which is that of the sampler, too.
#[derive(Debug)]
pub(super) struct LineSampler {
    lines: Mutex<SampledLines>,
    key: PseudonymKey,
}

/// Lines of the current interval.
#[derive(Debug, Default)]
struct SampledLines {
    /// Number of suppressed lines by their source, of which one line was logged.
    suppressed: HashMap<LineSource, u64>,
    /// Number of suppressed lines of sources beyond [`SAMPLED_CALLERS_MAX`].
    of_others: u64,
}

/// Source of lines: a caller, by its address until it is known, and a level.
#[derive(Debug, PartialEq, Eq, Hash)]
struct LineSource {
    level: Level,
    app: Option<AppId>,
    profile: Option<ProfileId>,
    network: Option<IpAddr>,
}

impl LineSource {
    fn of(info: &CallInfo, level: Level) -> Self {
        let caller = info.caller();
        let peer = info.peer.filter(|_| caller.is_none());
        Self {
            level,
            app: caller.map(|caller| caller.app.clone()),
            profile: caller.and_then(|caller| caller.profile.clone()),
            network: peer.map(|peer| network(peer.ip())),
        }
    }
}

impl LineSampler {
    /// Starts intervals that end with the sampler. Requires a tokio runtime.
    pub fn start(key: PseudonymKey) -> Arc<Self> {
        let sampler = Arc::new(Self {
            lines: Mutex::default(),
            key,
        });
        tokio::spawn(flush_periodically(Arc::downgrade(&sampler)));
        sampler
    }

    /// Returns whether a line is logged, and counts it otherwise.
    pub fn admits(&self, info: &CallInfo, level: Level) -> bool {
        let source = LineSource::of(info, level);
        let mut lines = self.lock();
        if let Some(count) = lines.suppressed.get_mut(&source) {
            *count += 1;
            return false;
        }
        if lines.suppressed.len() >= SAMPLED_CALLERS_MAX {
            lines.of_others += 1;
            return false;
        }
        lines.suppressed.insert(source, 0);
        true
    }

    /// Ends the interval, and logs how many lines were suppressed in it.
    fn flush(&self) {
        let lines = mem::take(&mut *self.lock());
        for (source, count) in lines.suppressed {
            if count > 0 {
                self.log(&source, count);
            }
        }
        if lines.of_others > 0 {
            event!(
                Level::WARN,
                log.suppressed_lines = lines.of_others,
                "call.lines_suppressed"
            );
        }
    }

    fn log(&self, source: &LineSource, count: u64) {
        let app = source.app.as_ref().map_or("", AppId::as_str);
        let profile = source.profile.as_ref();
        let pseudonym = profile.map(|profile| self.key.pseudonym(&[app, profile.as_str()]));
        // The level is part of an event's static metadata, so each level needs its own event.
        macro_rules! line {
            ($level:ident) => {
                event!(
                    Level::$level,
                    log.suppressed_lines = count,
                    client.address = source.network.map(tracing::field::display),
                    app.id = source.app.as_ref().map(AppId::as_str),
                    enduser.pseudo.id = pseudonym,
                    "call.lines_suppressed"
                )
            };
        }
        match source.level {
            Level::ERROR => line!(ERROR),
            Level::WARN => line!(WARN),
            _ => line!(INFO),
        }
    }

    fn lock(&self) -> MutexGuard<'_, SampledLines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LineSampler {
    fn drop(&mut self) {
        self.flush();
    }
}

async fn flush_periodically(sampler: Weak<LineSampler>) {
    let mut ends = interval(LINE_SAMPLE_INTERVAL);
    ends.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ends.tick().await;
    loop {
        ends.tick().await;
        match sampler.upgrade() {
            Some(sampler) => sampler.flush(),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    /// Facts about a call from a number of addresses.
    fn from(address: usize) -> CallInfo {
        let address = u32::try_from(address).expect("few");
        CallInfo::new(None, Some(SocketAddr::from((address.to_be_bytes(), 4711))))
    }

    #[tokio::test]
    async fn the_first_line_of_a_caller_and_level_is_logged() {
        let sampler = LineSampler::start(PseudonymKey::new([0; 32]));
        for level in [Level::WARN, Level::INFO] {
            assert!(sampler.admits(&from(1), level));
            assert!(!sampler.admits(&from(1), level));
            assert!(sampler.admits(&from(2), level));
        }
        sampler.flush();
        assert!(sampler.admits(&from(1), Level::WARN));
    }

    #[tokio::test]
    async fn the_number_of_sampled_callers_is_bounded() {
        let sampler = LineSampler::start(PseudonymKey::new([0; 32]));
        let logged = (0..2 * SAMPLED_CALLERS_MAX)
            .filter(|address| sampler.admits(&from(*address), Level::WARN))
            .count();
        assert_eq!(logged, SAMPLED_CALLERS_MAX);
        let lines = sampler.lock();
        assert_eq!(lines.suppressed.len(), SAMPLED_CALLERS_MAX);
        assert_eq!(lines.of_others, SAMPLED_CALLERS_MAX as u64);
    }
}
