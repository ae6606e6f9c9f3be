//! Reads of the reference: all rows, filtered, sorted and cut.

use domain::mailbox::Counts;
use domain::page::{Count, Criteria, Direction, Found, Key, Scan, Seek, SortField};
use domain::{AppId, Entry, Message, MessageId, Millis, Msgbox, ProfileId, Settings};
use storage::Item;

use super::{Reference, ReferenceApp};

impl Reference {
    /// The counters of a mailbox, and the number of its last change.
    pub fn counts(&self, app: &AppId, owner: &ProfileId) -> (Counts, i64) {
        let mailbox = self.apps.get(app).and_then(|app| app.mailboxes.get(owner));
        mailbox.map_or_else(Default::default, |mailbox| {
            (mailbox.counts(), mailbox.changes)
        })
    }

    /// The profiles that an owner blocks.
    pub fn blocks(&self, app: &AppId, owner: &ProfileId) -> Vec<ProfileId> {
        let blocks = self.apps.get(app).into_iter().flat_map(|app| &app.blocks);
        let own = blocks.filter(|(blocking, _)| blocking == owner);
        own.map(|(_, blocked)| blocked.clone()).collect()
    }

    /// Number of entries in all mailboxes of all apps.
    pub fn entries_in_all(&self) -> usize {
        let mailboxes = self.apps.values().flat_map(|app| app.mailboxes.values());
        mailboxes.map(|mailbox| mailbox.entries.len()).sum()
    }

    /// The named messages in a box.
    pub fn entries(
        &self,
        app: &AppId,
        owner: &ProfileId,
        msgbox: Msgbox,
        message_ids: &[MessageId],
    ) -> Vec<Item> {
        let all = self.items(app, owner);
        let named = message_ids.iter().filter_map(|id| {
            all.iter()
                .find(|item| item.entry.msgbox == msgbox && item.entry.message_id == *id)
        });
        named.cloned().collect()
    }

    /// A scan of a mailbox.
    pub fn page(&self, app: &AppId, owner: &ProfileId, scan: &Scan) -> Found<Item> {
        let mut items = self.items(app, owner);
        items.retain(|item| matches(&scan.criteria, Some(&item.entry), &item.message));
        let rows = items.into_iter().map(|item| {
            let entry = &item.entry;
            (key(entry.message_id, entry.msgbox, entry.seq), item)
        });
        let counted = scan.count || scan.criteria.is_box_only();
        find(rows.collect(), scan, counted)
    }

    /// The named messages of an app.
    pub fn messages(&self, app: &AppId, message_ids: &[MessageId], now: Millis) -> Vec<Message> {
        let Some(app) = self.apps.get(app) else {
            return Vec::new();
        };
        let named = message_ids.iter().filter_map(|id| app.messages.get(id));
        let there = named.filter(|message| message.envelope.expire_ms > now);
        there.cloned().collect()
    }

    /// A scan of an app's messages.
    pub fn repository_page(&self, app: &AppId, scan: &Scan, now: Millis) -> Found<Message> {
        let all = self.apps.get(app).into_iter();
        let rows = all
            .flat_map(|app| app.messages.values())
            .filter(|message| message.envelope.expire_ms > now)
            .filter(|message| matches(&scan.criteria, None, message))
            .map(|message| {
                let envelope = &message.envelope;
                let change = envelope.update_ms.0;
                let key = key(envelope.message_id, Msgbox::Inbox, change);
                (key, message.clone())
            });
        find(rows.collect(), scan, scan.count)
    }

    /// Settings of an app.
    pub fn settings(&self, app: &AppId) -> Settings {
        let app = self.apps.get(app);
        app.map_or_else(Settings::default, |app| app.settings.clone())
    }

    fn items(&self, app: &AppId, owner: &ProfileId) -> Vec<Item> {
        let Some(app) = self.apps.get(app) else {
            return Vec::new();
        };
        let mailbox = app.mailboxes.get(owner).into_iter();
        let entries = mailbox.flat_map(|mailbox| &mailbox.entries);
        entries.map(|entry| item(app, entry)).collect()
    }
}

fn item(app: &ReferenceApp, entry: &Entry) -> Item {
    Item {
        entry: entry.clone(),
        message: app.messages[&entry.message_id].clone().into(),
    }
}

const fn key(message_id: MessageId, msgbox: Msgbox, change: i64) -> Key {
    Key {
        message_id,
        msgbox,
        change,
    }
}

fn matches(criteria: &Criteria, entry: Option<&Entry>, message: &Message) -> bool {
    let envelope = &message.envelope;
    let is_from = |profile: &ProfileId| envelope.sender.profile_id.as_ref() == Some(profile);
    let is_to = |profile: &ProfileId| envelope.to.contains(profile);
    let is_with = |profile: &ProfileId| is_from(profile) || is_to(profile);
    let is_in = |msgbox| entry.is_none_or(|entry| entry.msgbox == msgbox);
    let is_read = |read| entry.is_none_or(|entry| entry.read_ms.is_some() == read);
    let update_ms = entry.map_or(envelope.update_ms, |entry| entry.update_ms);
    criteria.msgbox.is_none_or(is_in)
        && criteria.read.is_none_or(is_read)
        && criteria.sender.as_ref().is_none_or(is_from)
        && criteria.to.as_ref().is_none_or(is_to)
        && criteria.party.as_ref().is_none_or(is_with)
        && criteria.kind.is_none_or(|kind| envelope.kind == kind)
        && (!criteria.system_only || envelope.sender.profile_id.is_none())
        && criteria.sent_after.is_none_or(|at| envelope.send_ms > at)
        && criteria.sent_before.is_none_or(|at| envelope.send_ms < at)
        && criteria.updated_after.is_none_or(|at| update_ms > at)
}

/// Sorts, seeks, skips and cuts. Of what is cut by bytes or by examined rows it knows
/// nothing: the model test stays below.
fn find<T>(mut rows: Vec<(Key, T)>, scan: &Scan, counted: bool) -> Found<T> {
    let place = |key: &Key| match scan.sort.field {
        SortField::CreateTime => (0, key.message_id, key.msgbox),
        SortField::UpdateTime => (key.change, key.message_id, key.msgbox),
    };
    let matches = i64::try_from(rows.len()).expect("few");
    rows.sort_by_key(|(key, _)| place(key));
    if scan.sort.direction == Direction::Descending {
        rows.reverse();
    }
    let beyond = |key: &Key, at: &Key| match scan.sort.direction {
        Direction::Ascending => place(key) > place(at),
        Direction::Descending => place(key) < place(at),
    };
    rows.retain(|(key, _)| match &scan.seek {
        Seek::Start => true,
        Seek::After(at) => beyond(key, at),
        Seek::At(at) => !beyond(at, key),
        Seek::End => false,
    });
    let skip = usize::try_from(scan.skip).expect("few");
    let mut items: Vec<(Key, T)> = rows.into_iter().skip(skip).collect();
    let more = items.len() > scan.rows as usize;
    items.truncate(scan.rows as usize);
    Found {
        items,
        more,
        reached: None,
        count: counted.then_some(Count {
            matches,
            capped: false,
        }),
    }
}
