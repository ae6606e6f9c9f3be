//! Pages of an app's messages.

use domain::AppId;
use domain::page::Scan;
use proto::sys::v1;
use storage::{Error, MailStore};

use super::counted;
use super::fill::{fill, shown};
use super::request::PageRequest;
use crate::convert::message;
use crate::convert::token::Binding;
use crate::methods::sys::GET_MESSAGES_PAGE;

/// Pages of all messages of an app.
#[derive(Clone, Copy)]
pub struct RepositoryPages<'a> {
    /// Store of the messages.
    pub store: &'a dyn MailStore,
    /// App of the messages.
    pub app: &'a AppId,
}

impl<'a> RepositoryPages<'a> {
    /// Binding of the pages' contexts.
    #[must_use]
    pub fn binding(&self) -> Binding<'a> {
        Binding {
            app: self.app,
            owner: None,
            method: GET_MESSAGES_PAGE.path,
        }
    }

    /// Reads a page, and returns its context and the page.
    pub async fn page(&self, request: PageRequest) -> Result<(String, v1::RepositoryPage), Error> {
        let Self { store, app } = *self;
        let view = request.view;
        let read = |scan: Scan| async move {
            let found = store.repository_page(app, &scan).await?;
            Ok((shown(found, |found| message::show(found, view))?, ()))
        };
        let (page, ()) = request.read(|scan| fill(scan, read)).await?;
        let (count, count_capped) = counted(page.count);
        let results = v1::RepositoryPage {
            count,
            count_capped,
            page: page.position.page,
            items: page.items,
            more_before: page.more_before,
            more_after: page.more_after,
        };
        Ok((request.seal(self.binding(), page.position), results))
    }
}
