//! Pages of an app's messages.

use domain::AppId;
use domain::limits::PAGE_BYTES_MAX;
use domain::page::Scan;
use proto::sys::v1;
use storage::{Error, MailStore};

use super::counted;
use super::step::Step;
use crate::convert::token::Binding;
use crate::convert::{message, size};

/// The messages of an app, whoever holds them.
#[derive(Clone, Copy)]
pub struct Repository<'a> {
    /// Where they are stored.
    pub store: &'a dyn MailStore,
    /// Of which app.
    pub app: &'a AppId,
}

impl<'a> Repository<'a> {
    /// What the contexts of its pages are bound to.
    #[must_use]
    pub const fn binding(&self) -> Binding<'a> {
        Binding {
            app: self.app,
            owner: None,
            method: "/postroom.sys.v1.Sys/GetMessagesPage",
        }
    }

    /// The page that a step leads to, and its context.
    pub async fn page(&self, step: Step) -> Result<(String, v1::RepositoryPage), Error> {
        let Self { store, app } = *self;
        let read = |scan: Scan| async move {
            let mut found = store.repository_page(app, &scan).await?;
            size::fit_scan(&mut found, PAGE_BYTES_MAX, size::of_message);
            Ok((found, ()))
        };
        let (page, ()) = step.take(read).await?;
        let (count, count_capped) = counted(page.count);
        let results = v1::RepositoryPage {
            count,
            count_capped,
            page: page.position.page,
            items: message::show_all(&page.items, step.view)?,
            more_before: page.more_before,
            more_after: page.more_after,
        };
        Ok((step.context(self.binding(), page.position), results))
    }
}
