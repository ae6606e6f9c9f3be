//! Generator of random operations, deterministic for a seed.

mod actions;

use std::ops::RangeInclusive;

use domain::limits::{DAY_MS, HOUR_MS};
use domain::request::{Caller, Fingerprint, Request, RequestKey};
use domain::{AppId, MessageId, Operation, Outcome, ProfileId, Refusal, RequestId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use super::reference::ReferenceAction;

const APPS: usize = 3;
/// Profile ids of every app, in no linguistic order.
const PROFILES: [&str; 12] = [
    "ann", "bob", "Zoe", "cid", "_dan", "eve", "EVE", "x|1", "x|10", "-", "10", "9",
];
/// Maximum number of profiles that are created during the run.
const NEWCOMERS: usize = 40;
/// Number of recent messages that operations mostly name.
const RECENT: usize = 60;

/// An operation of an app.
#[derive(Debug, Clone)]
pub struct GeneratedOperation {
    pub app: AppId,
    pub request: Option<Request>,
    pub action: ReferenceAction,
}

impl GeneratedOperation {
    pub fn operation(&self) -> Operation {
        Operation {
            request: self.request,
            action: self.action.action(),
        }
    }
}

/// A sent message with its sender and recipients.
struct KnownMessage {
    app: AppId,
    message_id: MessageId,
    parties: Vec<ProfileId>,
}

pub struct Generator {
    random: StdRng,
    apps: Vec<AppId>,
    profiles: Vec<ProfileId>,
    /// Profiles created during the run, by app.
    newcomers: Vec<Vec<ProfileId>>,
    known: Vec<KnownMessage>,
    asked: Vec<GeneratedOperation>,
    requests: u64,
    /// Apps in which users write to known profiles only: there messages also name strangers.
    strict: Vec<AppId>,
}

impl Generator {
    /// Generator for apps whose names have a prefix.
    pub fn new(seed: u64, prefix: &str) -> Self {
        let app = |number| AppId::parse(&format!("{prefix}.{number}")).expect("an app id");
        let profile = |name: &&str| ProfileId::parse(name).expect("an id");
        Self {
            random: StdRng::seed_from_u64(seed),
            apps: (0..APPS).map(app).collect(),
            profiles: PROFILES.iter().map(profile).collect(),
            newcomers: vec![Vec::new(); APPS],
            known: Vec::new(),
            asked: Vec::new(),
            requests: 0,
            strict: Vec::new(),
        }
    }

    pub fn apps(&self) -> Vec<AppId> {
        self.apps.clone()
    }

    pub fn profiles(&self) -> Vec<ProfileId> {
        self.profiles.clone()
    }

    /// Profiles with a mailbox in an app.
    pub fn mailboxes(&self, app: &AppId) -> Vec<ProfileId> {
        let index = self.apps.iter().position(|one| one == app);
        let newcomers = index.map_or(&[][..], |index| &self.newcomers[index]);
        self.profiles.iter().chain(newcomers).cloned().collect()
    }

    /// Creates a profile in a random app.
    pub fn newcomer(&mut self) -> Option<(AppId, ProfileId)> {
        let index = self.random.random_range(0..APPS);
        let newcomers = &mut self.newcomers[index];
        let name = format!("new{}", newcomers.len());
        let profile = ProfileId::parse(&name).expect("an id");
        let comes = newcomers.len() < NEWCOMERS;
        comes.then(|| {
            newcomers.push(profile.clone());
            (self.apps[index].clone(), profile)
        })
    }

    /// All messages of an app that ever were.
    pub fn message_ids(&self, app: &AppId) -> Vec<MessageId> {
        let known = self.known.iter().filter(|known| known.app == *app);
        known.map(|known| known.message_id).collect()
    }

    pub fn number(&mut self, range: RangeInclusive<u64>) -> u64 {
        self.random.random_range(range)
    }

    pub fn one_in(&mut self, chances: u64) -> bool {
        self.number(1..=chances) == 1
    }

    pub fn one_of<T: Clone>(&mut self, things: &[T]) -> T {
        things[self.random.random_range(0..things.len())].clone()
    }

    /// A value with a probability of one in `chances`.
    pub fn maybe<T>(&mut self, chances: u64, thing: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(chances).then(|| thing(self))
    }

    /// Clock step to the next operation, in milliseconds: mostly small, sometimes large,
    /// sometimes negative.
    pub fn leap_ms(&mut self) -> i64 {
        let upto = |generator: &mut Self, max| generator.number(0..=max).cast_signed();
        match self.number(1..=200) {
            1..=140 => upto(self, 100),
            141..=170 => 0,
            171..=190 => -upto(self, 5_000),
            191..=196 => upto(self, HOUR_MS.cast_unsigned()),
            197..=199 => 3 * DAY_MS + 1,
            _ => -3 * DAY_MS,
        }
    }

    /// Notes the apps in which users write to known profiles only.
    pub fn note_strict(&mut self, strict: Vec<AppId>) {
        self.strict = strict;
    }

    /// Next operation: a new one, or an earlier one with its request id, with equal or other
    /// content.
    pub fn generated(&mut self) -> GeneratedOperation {
        let repeats = !self.asked.is_empty() && self.one_in(8);
        let recent = self.asked.len().saturating_sub(200);
        let generated = if repeats {
            let asked = self.asked[recent..].to_vec();
            let before = self.one_of(&asked);
            if self.one_in(4) {
                self.other_words(before)
            } else {
                before
            }
        } else {
            self.new_operation()
        };
        if generated.request.is_some() {
            self.asked.push(generated.clone());
        }
        generated
    }

    /// Records the message that an operation created.
    pub fn learn(&mut self, generated: &GeneratedOperation, verdict: &Result<Outcome, Refusal>) {
        let Ok(Outcome::Sent(sent)) = verdict else {
            return;
        };
        if self
            .known
            .iter()
            .any(|known| known.message_id == sent.message_id)
        {
            return;
        }
        let parties = match &generated.action {
            ReferenceAction::Send(message) => {
                let sender = message.draft.sender.profile_id.iter();
                let all = self.mailboxes(&generated.app);
                let parties = sender.chain(&message.to);
                parties.filter(|it| all.contains(it)).cloned().collect()
            }
            ReferenceAction::Act(_) => self.mailboxes(&generated.app),
        };
        self.known.push(KnownMessage {
            app: generated.app.clone(),
            message_id: sent.message_id,
            parties,
        });
    }

    fn new_operation(&mut self) -> GeneratedOperation {
        let apps = self.apps();
        let app = self.one_of(&apps);
        let mut action = self.action(&app);
        if self.strict.contains(&app) && self.one_in(4) && self.add_stranger(&mut action) {
            // Not repeated where it is allowed.
            return GeneratedOperation {
                app,
                request: None,
                action,
            };
        }
        let request = self.maybe(2, |generator| {
            generator.requests += 1;
            let id = RequestId::parse(&format!("r{}", generator.requests)).expect("a request id");
            Request {
                key: RequestKey::new(Caller::App, &id),
                fingerprint: fingerprint(&action),
            }
        });
        GeneratedOperation {
            app,
            request,
            action,
        }
    }

    /// Makes a stranger a recipient of a user's message, or the only one. False for other actions.
    fn add_stranger(&mut self, action: &mut ReferenceAction) -> bool {
        let stranger = ProfileId::parse("stranger").expect("an id");
        match action {
            ReferenceAction::Send(message) if message.draft.sender.profile_id.is_some() => {
                if self.one_in(2) {
                    message.to.clear();
                }
                message.to.push(stranger);
                true
            }
            _ => false,
        }
    }

    /// Operation with the request id of another one.
    fn other_words(&mut self, before: GeneratedOperation) -> GeneratedOperation {
        let action = self.action(&before.app);
        let request = before.request.map(|request| Request {
            fingerprint: fingerprint(&action),
            ..request
        });
        GeneratedOperation {
            request,
            action,
            ..before
        }
    }

    /// A message, mostly a recent one, and an owner, mostly one that holds it.
    fn message_and_owner(&mut self, app: &AppId) -> (MessageId, ProfileId) {
        let anybody = self.mailboxes(app);
        let mine: Vec<usize> = (0..self.known.len())
            .filter(|&index| self.known[index].app == *app)
            .collect();
        if mine.is_empty() || self.one_in(30) {
            let unknown = MessageId::new(Uuid::from_u128(self.random.random()));
            return (unknown, self.one_of(&anybody));
        }
        let known = match self.number(1..=20) {
            1 => self.number(0..=self.known.len() as u64 - 1),
            2 | 3 => self.one_of(&mine) as u64,
            _ => self.one_of(&mine[mine.len().saturating_sub(RECENT)..]) as u64,
        };
        let KnownMessage {
            message_id,
            parties,
            ..
        } = &self.known[usize::try_from(known).expect("an index")];
        let (message_id, parties) = (*message_id, parties.clone());
        let owner = match self.number(1..=10) {
            1..=4 => parties[0].clone(),
            5..=8 => self.one_of(&parties),
            _ => self.one_of(&anybody),
        };
        (message_id, owner)
    }

    /// Message ids: the first, and up to six distinct others.
    fn some_messages(&mut self, app: &AppId, first: MessageId) -> Vec<MessageId> {
        let mut message_ids = vec![first];
        for _ in 0..self.number(0..=6) {
            let (message_id, _) = self.message_and_owner(app);
            if !message_ids.contains(&message_id) {
                message_ids.push(message_id);
            }
        }
        message_ids
    }
}

/// Fingerprint of an action: eight bytes of its hash.
fn fingerprint(action: &ReferenceAction) -> Fingerprint {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    format!("{action:?}").hash(&mut hasher);
    Fingerprint(hasher.finish().to_be_bytes())
}
