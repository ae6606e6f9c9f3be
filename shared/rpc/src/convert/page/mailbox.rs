//! Pages of a mailbox.

use domain::limits::PAGE_BYTES_MAX;
use domain::page::Scan;
use domain::{AppId, ProfileId};
use proto::v1;
use storage::{Error, Item, MailStore, Requester};

use super::counted;
use super::step::Step;
use crate::convert::token::Binding;
use crate::convert::{cursor, entry, size};

/// A mailbox that somebody reads.
#[derive(Clone, Copy)]
pub struct Mailbox<'a> {
    /// Where it is stored.
    pub store: &'a dyn MailStore,
    /// In which app.
    pub app: &'a AppId,
    /// Whose it is.
    pub owner: &'a ProfileId,
    /// Who reads.
    pub requester: Requester,
}

impl<'a> Mailbox<'a> {
    /// What the contexts of its pages are bound to: the owner's are not the app's.
    #[must_use]
    pub const fn binding(&self) -> Binding<'a> {
        Binding {
            app: self.app,
            owner: Some(self.owner),
            method: match self.requester {
                Requester::Owner => "/postroom.v1.Messaging/GetMessagesPage",
                Requester::App => "/postroom.sys.v1.Sys/GetMessagesForOwnerPage",
            },
        }
    }

    /// The page that a step leads to, and its context.
    pub async fn page(&self, step: Step) -> Result<(String, v1::MessagesPage), Error> {
        let Self {
            store,
            app,
            owner,
            requester,
        } = *self;
        let read = |scan: Scan| async move {
            let mut page = store.page(app, owner, requester, &scan).await?;
            let bytes = |item: &Item| size::of_message(&item.message);
            size::fit_scan(&mut page.found, PAGE_BYTES_MAX, bytes);
            Ok((page.found, page.offset))
        };
        let (page, position) = step.take(read).await?;
        let (count, count_capped) = counted(page.count);
        let results = v1::MessagesPage {
            count,
            count_capped,
            page: page.position.page,
            items: entry::show_all(&page.items, step.view)?,
            more_before: page.more_before,
            more_after: page.more_after,
            cursor: cursor::show(position, app, owner),
        };
        Ok((step.context(self.binding(), page.position), results))
    }
}
