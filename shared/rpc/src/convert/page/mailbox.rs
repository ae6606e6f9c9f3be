//! Pages of a mailbox.

use domain::page::Scan;
use domain::{AppId, ProfileId};
use proto::v1;
use storage::{Cost, CostAccount, Error, MailStore, Requester};

use super::counted;
use super::fill::{fill, shown};
use super::request::PageRequest;
use crate::convert::token::Binding;
use crate::convert::{cursor, entry};
use crate::methods::{messaging, sys};

/// Pages of a mailbox.
#[derive(Clone)]
pub struct MailboxPages<'a> {
    /// Store of the mailbox.
    pub store: &'a dyn MailStore,
    /// App of the owner.
    pub app: &'a AppId,
    /// Owner of the mailbox.
    pub owner: &'a ProfileId,
    /// Requester, which decides what is shown.
    pub requester: Requester,
    /// Account that the rows examined are charged to.
    pub account: CostAccount,
}

impl<'a> MailboxPages<'a> {
    /// Binding of the pages' contexts. Those of the owner are not valid for the app.
    #[must_use]
    pub fn binding(&self) -> Binding<'a> {
        Binding {
            app: self.app,
            owner: Some(self.owner),
            method: match self.requester {
                Requester::Owner => messaging::GET_MESSAGES_PAGE.path,
                Requester::App => sys::GET_MESSAGES_FOR_OWNER_PAGE.path,
            },
        }
    }

    /// Reads a page, and returns its context and the page.
    pub async fn page(&self, request: PageRequest) -> Result<(String, v1::MessagesPage), Error> {
        let Self {
            store,
            app,
            owner,
            requester,
            ref account,
        } = *self;
        let view = request.view;
        let read = |scan: Scan| async move {
            let page = store.page(app, owner, requester, &scan).await?;
            account.charge(Cost::Rows(page.examined));
            let found = shown(page.found, |item| entry::show(item, view))?;
            Ok((found, page.offset))
        };
        let (page, position) = request.read(|scan| fill(scan, read)).await?;
        let (count, count_capped) = counted(page.count);
        let results = v1::MessagesPage {
            count,
            count_capped,
            page: page.position.page,
            items: page.items,
            more_before: page.more_before,
            more_after: page.more_after,
            cursor: cursor::show(position, app, owner),
        };
        Ok((request.seal(self.binding(), page.position), results))
    }
}
