//! Walks over all pages of a box, from any page on, forward and back.

use proto::v1;
use rand::RngExt as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use support::service::InProcessUser;

use crate::api::builders::ok;

/// A walk over all entries of one box or of both.
pub struct PageWalk {
    /// Page to begin with; none once it was read.
    first: Option<v1::PageContext>,
    /// Contexts of the outermost pages with more behind them, and the offset that leads there.
    edges: Vec<(String, i32)>,
}

impl PageWalk {
    /// Walks that cover both boxes, in random orders and lengths of pages.
    pub fn over_everything(dice: &mut StdRng) -> Vec<Self> {
        let boxes: &[&str] = [&[""][..], &["inbox", "sent"], &["sent", "inbox"]]
            .choose(dice)
            .expect("boxes");
        let walk = |msgbox: &&str| Self {
            first: Some(listing(msgbox, v1::SortField::CreateTime, dice)),
            edges: Vec::new(),
        };
        boxes.iter().map(walk).collect()
    }

    /// True once all pages were read.
    pub const fn has_ended(&self) -> bool {
        self.first.is_none() && self.edges.is_empty()
    }

    /// Reads another page, which follows on one that was read; none if all were.
    pub async fn next(
        &mut self,
        user: &mut InProcessUser,
        dice: &mut StdRng,
    ) -> Option<v1::MessagesPage> {
        if let Some(first) = self.first.take() {
            let (context, page) = page(user, first).await;
            self.extend(&context, &page, -1);
            self.extend(&context, &page, 1);
            return Some(page);
        }
        if self.edges.is_empty() {
            return None;
        }
        let (context, offset) = self
            .edges
            .swap_remove(dice.random_range(0..self.edges.len()));
        let (context, page) = page_at(user, context, offset).await;
        self.extend(&context, &page, offset);
        Some(page)
    }

    fn extend(&mut self, context: &str, page: &v1::MessagesPage, offset: i32) {
        let has_more = if offset < 0 {
            page.more_before
        } else {
            page.more_after
        };
        if has_more {
            self.edges.push((context.to_owned(), offset));
        }
    }
}

/// Reads any page of any listing.
pub async fn any_page(user: &mut InProcessUser, dice: &mut StdRng) -> v1::MessagesPage {
    let msgbox = ["", "inbox", "sent"].choose(dice).expect("a box");
    let field = [v1::SortField::CreateTime, v1::SortField::UpdateTime];
    let field = field.choose(dice).expect("a field");
    let (context, found) = page(user, listing(msgbox, *field, dice)).await;
    if dice.random_bool(0.5) {
        return found;
    }
    page_at(user, context, dice.random_range(-2..=2)).await.1
}

fn listing(msgbox: &str, field: v1::SortField, dice: &mut StdRng) -> v1::PageContext {
    let directions = [v1::SortDirection::Ascending, v1::SortDirection::Descending];
    v1::PageContext {
        search_criteria: Some(v1::SearchCriteria {
            msgbox: msgbox.to_owned(),
            ..Default::default()
        }),
        sort_criteria: Some(v1::SortCriteria {
            field: field.into(),
            direction: (*directions.choose(dice).expect("a direction")).into(),
        }),
        pagination: Some(v1::Pagination {
            rows_per_page: dice.random_range(1..=5),
            page_number: dice.random_range(1..=3),
            ..Default::default()
        }),
        ..Default::default()
    }
}

async fn page(user: &mut InProcessUser, context: v1::PageContext) -> (String, v1::MessagesPage) {
    let request = v1::GetMessagesPageRequest {
        context: Some(context),
    };
    let answer = ok(user.get_messages_page(request)).await;
    (answer.context, answer.results.expect("a page"))
}

async fn page_at(
    user: &mut InProcessUser,
    context: String,
    page_offset: i32,
) -> (String, v1::MessagesPage) {
    let request = v1::GetMessagesPageOffsetRequest {
        context,
        page_offset,
    };
    let answer = ok(user.get_messages_page_offset(request)).await;
    (answer.context, answer.results.expect("a page"))
}
