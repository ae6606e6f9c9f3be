//! Pages: the same for a user's own entries, for a user's entries as the app reads them, and for
//! all messages of the app.

mod bounds;
mod contexts;
mod offsets;

use proto::sys::v1 as sys;
use proto::v1;
use support::service::{InProcessApp, InProcessUser, TestService};
use tonic::Status;

/// Method whose pages are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagedMethod {
    /// Bob's entries, by himself.
    Own,
    /// Bob's entries, by the app.
    OfOwner,
    /// The app's messages.
    Repository,
}

impl PagedMethod {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Own, Self::OfOwner, Self::Repository];
}

/// A page of any of them.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownPage {
    /// Context of the page.
    pub context: String,
    /// Message ids of the rows.
    pub ids: Vec<String>,
    /// Number of matching rows; true if there may be more.
    pub count: (i64, bool),
    /// Page number.
    pub number: i32,
    /// True if there may be rows before the page, and after it.
    pub more: (bool, bool),
}

macro_rules! page {
    ($answer:expr) => {{
        let answer = $answer?.into_inner();
        let results = answer.results.expect("a page");
        let ids = results.items.into_iter().map(|item| item.message_id);
        Ok(ShownPage {
            context: answer.context,
            ids: ids.collect(),
            count: (results.count, results.count_capped),
            number: results.page,
            more: (results.more_before, results.more_after),
        })
    }};
}

/// Caller of the three paged methods.
pub struct PageReader {
    bob: InProcessUser,
    app: InProcessApp,
}

impl PageReader {
    /// Bob and the app of that test.
    pub fn of(test: &TestService) -> Self {
        Self {
            bob: test.user("bob"),
            app: test.sys(),
        }
    }

    /// The page that a context names; criteria are not passed on to the repository.
    pub async fn try_page(
        &mut self,
        listing: PagedMethod,
        context: v1::PageContext,
    ) -> Result<ShownPage, Status> {
        let owner_profile_id = "bob".to_owned();
        match listing {
            PagedMethod::Own => {
                let context = Some(context);
                let request = v1::GetMessagesPageRequest { context };
                page!(self.bob.get_messages_page(request).await)
            }
            PagedMethod::OfOwner => {
                let request = sys::GetMessagesForOwnerPageRequest {
                    owner_profile_id,
                    context: Some(context),
                };
                page!(self.app.get_messages_for_owner_page(request).await)
            }
            PagedMethod::Repository => {
                let context = Some(sys::RepositoryPageContext {
                    search_criteria: None,
                    sort_criteria: context.sort_criteria,
                    pagination: context.pagination,
                    view: context.view,
                });
                let request = sys::GetMessagesPageRequest { context };
                page!(self.app.get_messages_page(request).await)
            }
        }
    }

    /// The page that lies some pages from one that was answered.
    pub async fn try_turn(
        &mut self,
        listing: PagedMethod,
        context: &str,
        page_offset: i32,
    ) -> Result<ShownPage, Status> {
        let (owner_profile_id, context) = ("bob".to_owned(), context.to_owned());
        match listing {
            PagedMethod::Own => {
                let request = v1::GetMessagesPageOffsetRequest {
                    context,
                    page_offset,
                };
                page!(self.bob.get_messages_page_offset(request).await)
            }
            PagedMethod::OfOwner => {
                let request = sys::GetMessagesForOwnerPageOffsetRequest {
                    owner_profile_id,
                    context,
                    page_offset,
                };
                page!(self.app.get_messages_for_owner_page_offset(request).await)
            }
            PagedMethod::Repository => {
                let request = sys::GetMessagesPageOffsetRequest {
                    context,
                    page_offset,
                };
                page!(self.app.get_messages_page_offset(request).await)
            }
        }
    }

    /// The page that a context names.
    pub async fn page(&mut self, listing: PagedMethod, context: v1::PageContext) -> ShownPage {
        self.try_page(listing, context).await.expect("a page")
    }

    /// The page that lies some pages from another.
    pub async fn turn(&mut self, listing: PagedMethod, from: &ShownPage, offset: i32) -> ShownPage {
        let turned = self.try_turn(listing, &from.context, offset).await;
        turned.expect("a page")
    }

    /// This page, and all that follow.
    pub async fn walk(&mut self, listing: PagedMethod, first: ShownPage) -> Vec<ShownPage> {
        let mut pages = vec![first];
        while pages[pages.len() - 1].more.1 {
            let next = self.turn(listing, &pages[pages.len() - 1], 1).await;
            pages.push(next);
        }
        pages
    }
}

/// The first page of that many rows.
pub fn rows(rows_per_page: i32) -> v1::PageContext {
    place(rows_per_page, 0)
}

/// A page of that many rows, by its number.
pub fn place(rows_per_page: i32, page_number: i32) -> v1::PageContext {
    v1::PageContext {
        pagination: Some(v1::Pagination {
            rows_per_page,
            page_number,
            do_count: false,
        }),
        ..Default::default()
    }
}

/// Context in another order.
pub fn sorted(
    context: v1::PageContext,
    field: v1::SortField,
    direction: v1::SortDirection,
) -> v1::PageContext {
    v1::PageContext {
        sort_criteria: Some(v1::SortCriteria {
            field: field.into(),
            direction: direction.into(),
        }),
        ..context
    }
}

/// Context in ascending order.
pub fn ascending(context: v1::PageContext) -> v1::PageContext {
    sorted(
        context,
        v1::SortField::CreateTime,
        v1::SortDirection::Ascending,
    )
}

/// The rows of some pages.
pub fn ids_of(pages: &[ShownPage]) -> Vec<String> {
    pages.iter().flat_map(|page| page.ids.clone()).collect()
}

/// The other way round.
pub fn reversed(ids: &[String]) -> Vec<String> {
    ids.iter().rev().cloned().collect()
}
