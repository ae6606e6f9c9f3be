//! What somebody may ask for next, by chance, and the same for the same seed.

mod deeds;

use std::ops::RangeInclusive;

use domain::limits::{DAY_MS, HOUR_MS};
use domain::request::{Caller, Fingerprint, Request, RequestKey};
use domain::{AppId, MessageId, Millis, Operation, Outcome, ProfileId, Refusal, RequestId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use storage::MessageIds;
use support::ids::SequentialIds;
use uuid::Uuid;

use super::reference::Deed;

const APPS: usize = 3;
/// The same in every app; not in the order of any dictionary.
const PROFILES: [&str; 12] = [
    "ann", "bob", "Zoe", "cid", "_dan", "eve", "EVE", "x|1", "x|10", "-", "10", "9",
];
/// Those who come later, one after another.
const NEWCOMERS: usize = 40;
/// Messages that are talked about most.
const RECENT: usize = 60;

/// An operation of an app.
#[derive(Debug, Clone)]
pub struct Wish {
    pub app: AppId,
    pub request: Option<Request>,
    pub deed: Deed,
}

impl Wish {
    pub fn operation(&self) -> Operation {
        Operation {
            request: self.request,
            action: self.deed.action(),
        }
    }

    /// The id that the store is going to give it, if it makes a message.
    pub fn message_id(&self, ids: &SequentialIds, now: Millis) -> MessageId {
        if self.operation().makes_message() {
            ids.next(now)
        } else {
            MessageId::new(Uuid::nil())
        }
    }
}

/// A message that was sent, and to whom it matters.
struct Known {
    app: AppId,
    message_id: MessageId,
    parties: Vec<ProfileId>,
}

pub struct Dice {
    random: StdRng,
    apps: Vec<AppId>,
    profiles: Vec<ProfileId>,
    /// Of each app: those who came later.
    newcomers: Vec<Vec<ProfileId>>,
    known: Vec<Known>,
    asked: Vec<Wish>,
    requests: u64,
}

impl Dice {
    /// Dice for apps whose names begin so.
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
        }
    }

    pub fn apps(&self) -> Vec<AppId> {
        self.apps.clone()
    }

    pub fn profiles(&self) -> Vec<ProfileId> {
        self.profiles.clone()
    }

    /// Those who have a mailbox in an app.
    pub fn people(&self, app: &AppId) -> Vec<ProfileId> {
        let index = self.apps.iter().position(|one| one == app);
        let newcomers = index.map_or(&[][..], |index| &self.newcomers[index]);
        self.profiles.iter().chain(newcomers).cloned().collect()
    }

    /// Somebody comes to an app.
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

    /// Now and then something.
    pub fn maybe<T>(&mut self, chances: u64, thing: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.one_in(chances).then(|| thing(self))
    }

    /// How far the clock goes until the next step: mostly a little, sometimes far, and
    /// sometimes back.
    pub fn leap_ms(&mut self) -> i64 {
        let upto = |dice: &mut Self, max| dice.number(0..=max).cast_signed();
        match self.number(1..=200) {
            1..=140 => upto(self, 100),
            141..=170 => 0,
            171..=190 => -upto(self, 5_000),
            191..=196 => upto(self, HOUR_MS.cast_unsigned()),
            197..=199 => 3 * DAY_MS + 1,
            _ => -3 * DAY_MS,
        }
    }

    /// Something new, or something that was asked before, word by word or not.
    pub fn wish(&mut self) -> Wish {
        let repeats = !self.asked.is_empty() && self.one_in(8);
        let recent = self.asked.len().saturating_sub(200);
        let wish = if repeats {
            let asked = self.asked[recent..].to_vec();
            let before = self.one_of(&asked);
            if self.one_in(4) {
                self.other_words(before)
            } else {
                before
            }
        } else {
            self.new_wish()
        };
        if wish.request.is_some() {
            self.asked.push(wish.clone());
        }
        wish
    }

    /// Takes note of the message that a wish made.
    pub fn learn(&mut self, wish: &Wish, verdict: &Result<Outcome, Refusal>) {
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
        let parties = match &wish.deed {
            Deed::Send(letter) => {
                let sender = letter.from.profile_id.iter();
                sender.chain(&letter.to).cloned().collect()
            }
            Deed::Act(_) => self.people(&wish.app),
        };
        self.known.push(Known {
            app: wish.app.clone(),
            message_id: sent.message_id,
            parties,
        });
    }

    fn new_wish(&mut self) -> Wish {
        let apps = self.apps();
        let app = self.one_of(&apps);
        let deed = self.deed(&app);
        let request = self.maybe(2, |dice| {
            dice.requests += 1;
            let id = RequestId::parse(&format!("r{}", dice.requests)).expect("a request id");
            Request {
                key: RequestKey::new(Caller::App, &id),
                fingerprint: fingerprint(&deed),
            }
        });
        Wish { app, request, deed }
    }

    /// The same request id, for something else.
    fn other_words(&mut self, before: Wish) -> Wish {
        let deed = self.deed(&before.app);
        let request = before.request.map(|request| Request {
            fingerprint: fingerprint(&deed),
            ..request
        });
        Wish {
            request,
            deed,
            ..before
        }
    }

    /// A message, mostly a recent one, and somebody, mostly one to whom it matters.
    fn message_and_owner(&mut self, app: &AppId) -> (MessageId, ProfileId) {
        let anybody = self.people(app);
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
        let Known {
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

    /// That message and perhaps some more, each once.
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

/// Eight bytes that differ where the deeds do.
fn fingerprint(deed: &Deed) -> Fingerprint {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    format!("{deed:?}").hash(&mut hasher);
    Fingerprint(hasher.finish().to_be_bytes())
}
