//! Comparison of all reads of the store with those of the reference.

use domain::limits::{RECIPIENT_ROWS_EXAMINED_MAX, ROWS_EXAMINED_MAX};
use domain::page::{Criteria, Direction, Found, Key, Scan, Seek, Sort, SortField};
use domain::{AppId, Message, MessageId, MessageKind, Millis, Msgbox, ProfileId};
use futures::future::join;
use storage::{Item, Requester};

use super::generator::Generator;
use super::reference::Reference;
use crate::conformance::fixture::BatchStore;

const NO_LIMIT: usize = 64 * 1024 * 1024;
/// Page size beyond the rows of any mailbox.
const ALL_ROWS: u32 = 1_000;
/// Ids in one read.
const IDS: usize = 300;

pub struct Comparison<'a> {
    pub reference: &'a mut Reference,
    pub generator: &'a mut Generator,
    pub store: &'a BatchStore,
    pub replica: &'a BatchStore,
    pub now: Millis,
}

impl Comparison<'_> {
    /// Compares a random mailbox, a page of it, and a page of the repository.
    pub async fn glance(&mut self) {
        let apps = self.generator.apps();
        let app = self.generator.one_of(&apps);
        let mailboxes = self.generator.mailboxes(&app);
        let owner = self.generator.one_of(&mailboxes);
        self.mailbox(&app, &owner).await;
        let all = self.reference.page(&app, &owner, &everything(sorts()[0]));
        let scan = self.scan(&keys(&all), false);
        self.page(&app, &owner, &scan).await;
        let all = self
            .reference
            .repository_page(&app, &everything(sorts()[0]), self.now);
        let mut scan = self.scan(&keys(&all), true);
        let examined_max = if scan.criteria.is_by_recipient() {
            RECIPIENT_ROWS_EXAMINED_MAX
        } else {
            ROWS_EXAMINED_MAX
        };
        if self.generator.message_ids(&app).len() >= examined_max as usize {
            // The reference examines all rows, the store does not.
            scan.criteria = Criteria::default();
        }
        self.repository_page(&app, &scan).await;
    }

    /// All that can be seen of all mailboxes of all apps.
    pub async fn everything(&mut self) {
        for app in self.generator.apps() {
            self.app(&app).await;
            for owner in self.generator.mailboxes(&app) {
                self.mailbox(&app, &owner).await;
                self.entries(&app, &owner).await;
                self.blocks(&app, &owner).await;
                for sort in sorts() {
                    self.page(&app, &owner, &everything(sort)).await;
                    for criteria in self.filters(&owner) {
                        let scan = Scan {
                            criteria,
                            count: true,
                            ..everything(sort)
                        };
                        self.page(&app, &owner, &scan).await;
                    }
                }
            }
        }
    }

    async fn app(&mut self, app: &AppId) {
        let settings = self.store.app_state(app).await.expect("a state").settings;
        assert_eq!(settings, self.reference.settings(app));
        for ids in self.generator.message_ids(app).chunks(IDS) {
            let messages = self.store.messages(app, ids, NO_LIMIT).await;
            let messages = messages.expect("messages");
            assert_eq!(messages.remaining, []);
            assert_eq!(messages.found, self.reference.messages(app, ids, self.now));
            for id in ids {
                let bulk = self.store.bulk(app, *id).await.expect("a report");
                assert_eq!(bulk, self.reference.bulk(app, *id, self.now));
            }
        }
        for sort in sorts() {
            self.repository(app, sort).await;
        }
    }

    /// All messages of an app, page by page.
    async fn repository(&self, app: &AppId, sort: Sort) {
        let mut scan = everything(sort);
        loop {
            let found = self.repository_page(app, &scan).await;
            let Some((last, _)) = found.items.last().filter(|_| found.more) else {
                return;
            };
            scan.seek = Seek::After(*last);
        }
    }

    async fn mailbox(&mut self, app: &AppId, owner: &ProfileId) {
        self.reference.visit(app, owner, self.now);
        // Both settle it, if it is due.
        let (here, there) = join(
            self.store.counts(app, owner, Requester::App),
            self.replica.counts(app, owner, Requester::App),
        )
        .await;
        for counted in [here, there] {
            let counted = counted.expect("counts");
            let actual = (counted.counts, counted.offset.seq);
            assert_eq!(actual, self.reference.counts(app, owner), "{app} {owner}");
        }
    }

    async fn blocks(&self, app: &AppId, owner: &ProfileId) {
        let blocks = self.store.blocks(app, owner, None, ALL_ROWS).await;
        let blocks = blocks.expect("blocks").into_iter();
        let blocks: Vec<ProfileId> = blocks.map(|block| block.profile_id).collect();
        assert_eq!(blocks, self.reference.blocks(app, owner), "{app} {owner}");
    }

    async fn entries(&mut self, app: &AppId, owner: &ProfileId) {
        if !self.reference.visit(app, owner, self.now) {
            return;
        }
        let all: Vec<MessageId> = self.generator.message_ids(app);
        let recent = &all[all.len().saturating_sub(IDS)..];
        for msgbox in Msgbox::ALL {
            let items = self
                .store
                .entries(app, owner, msgbox, recent, NO_LIMIT)
                .await;
            let items = items.expect("entries");
            assert_eq!(items.remaining, []);
            let expected = self.reference.entries(app, owner, msgbox, recent);
            assert_eq!(
                items
                    .found
                    .into_iter()
                    .map(without_sender)
                    .collect::<Vec<_>>(),
                expected,
                "{app} {owner}"
            );
        }
    }

    async fn page(&mut self, app: &AppId, owner: &ProfileId, scan: &Scan) {
        self.reference.visit(app, owner, self.now);
        let page = self.store.page(app, owner, Requester::App, scan).await;
        let mut page = page.expect("a page");
        page.found.items = page
            .found
            .items
            .into_iter()
            .map(|(key, item)| (key, without_sender(item)))
            .collect();
        let expected = self.reference.page(app, owner, scan);
        assert_eq!(page.found, expected, "{app} {owner} {scan:?}");
        let (_, seq) = self.reference.counts(app, owner);
        assert_eq!(page.offset.seq, seq);
    }

    async fn repository_page(&self, app: &AppId, scan: &Scan) -> Found<Message> {
        let found = self.store.repository_page(app, scan).await;
        let found = found.expect("a page");
        let expected = self.reference.repository_page(app, scan, self.now);
        assert_eq!(found, expected, "{app} {scan:?}");
        found
    }

    /// Random scan from a random position.
    fn scan(&mut self, keys: &[Key], repository: bool) -> Scan {
        let generator = &mut *self.generator;
        let seek = match generator.number(1..=5) {
            1 => Seek::End,
            2 | 3 if !keys.is_empty() => Seek::After(generator.one_of(keys)),
            4 if !keys.is_empty() => Seek::At(generator.one_of(keys)),
            _ => Seek::Start,
        };
        let skip = generator
            .maybe(3, |generator| generator.number(0..=9))
            .unwrap_or(0);
        let sort = generator.one_of(&sorts());
        let rows = u32::try_from(generator.number(1..=30)).expect("few");
        let count = generator.one_in(3);
        Scan {
            criteria: self.criteria(repository),
            sort,
            seek,
            skip,
            rows,
            count,
        }
    }

    fn criteria(&mut self, repository: bool) -> Criteria {
        let profiles = self.generator.profiles();
        let now = self.now;
        let generator = &mut *self.generator;
        let somebody =
            |generator: &mut Generator| generator.maybe(6, |generator| generator.one_of(&profiles));
        let recently = |generator: &mut Generator| {
            generator.maybe(6, |generator| {
                now.after(-generator.number(0..=20_000).cast_signed())
            })
        };
        Criteria {
            msgbox: generator
                .maybe(3, |generator| generator.one_of(&Msgbox::ALL))
                .filter(|_| !repository),
            read: generator
                .maybe(4, |generator| generator.one_in(2))
                .filter(|_| !repository),
            sender: somebody(generator),
            to: somebody(generator),
            party: somebody(generator),
            kind: generator.maybe(6, |generator| {
                generator.one_of(&[MessageKind::Regular, MessageKind::System, MessageKind::Bulk])
            }),
            system_only: repository && generator.one_in(4),
            sent_after: recently(generator),
            sent_before: recently(generator),
            updated_after: recently(generator),
        }
    }

    /// Criteria with one filter each.
    fn filters(&self, owner: &ProfileId) -> Vec<Criteria> {
        let now: Millis = self.now;
        let none = Criteria::default;
        let owner = Some(owner.clone());
        vec![
            Criteria {
                msgbox: Some(Msgbox::Inbox),
                read: Some(false),
                ..none()
            },
            Criteria {
                msgbox: Some(Msgbox::Sent),
                ..none()
            },
            Criteria {
                sender: owner.clone(),
                ..none()
            },
            Criteria {
                to: owner,
                ..none()
            },
            Criteria {
                updated_after: Some(now.after(-2_000)),
                ..none()
            },
        ]
    }
}

fn sorts() -> [Sort; 4] {
    [
        (SortField::CreateTime, Direction::Ascending),
        (SortField::CreateTime, Direction::Descending),
        (SortField::UpdateTime, Direction::Ascending),
        (SortField::UpdateTime, Direction::Descending),
    ]
    .map(|(field, direction)| Sort { field, direction })
}

fn everything(sort: Sort) -> Scan {
    Scan {
        criteria: Criteria::default(),
        sort,
        seek: Seek::Start,
        skip: 0,
        rows: ALL_ROWS,
        count: false,
    }
}

fn keys<T>(found: &Found<T>) -> Vec<Key> {
    found.items.iter().map(|(key, _)| *key).collect()
}

/// The item as the reference has it, which does not know the numbers of mailboxes.
fn without_sender(mut item: Item) -> Item {
    item.entry.sender_id = None;
    item
}
