//! Page contexts of requests: criteria, sort, pagination and view.

use domain::Violations;
use domain::page::{
    Criteria, Direction, Listing, PageError, Sort, SortField, page_number, rows_per_page,
};
use proto::{sys, v1};

use super::criteria;
use crate::convert::enums;
use crate::convert::view::View;

/// Page context of the protos: one for entries, one for messages.
pub trait PageContext: prost::Message + Default {
    /// Search criteria.
    fn criteria(&self, violations: &mut Violations) -> Criteria;
    /// Sort order.
    fn sort(&self) -> v1::SortCriteria;
    /// Page number and size.
    fn pagination(&mut self) -> &mut Option<v1::Pagination>;
    /// Number of the view.
    fn view_number(&self) -> i32;
}

macro_rules! page_context {
    ($context:ty, $criteria:path) => {
        impl PageContext for $context {
            fn criteria(&self, violations: &mut Violations) -> Criteria {
                let given = self.search_criteria.as_ref();
                given.map_or_else(Criteria::default, |given| $criteria(given, violations))
            }

            fn sort(&self) -> v1::SortCriteria {
                self.sort_criteria.unwrap_or_default()
            }

            fn pagination(&mut self) -> &mut Option<v1::Pagination> {
                &mut self.pagination
            }

            fn view_number(&self) -> i32 {
                self.view
            }
        }
    };
}

page_context!(v1::PageContext, criteria::of_entries);
page_context!(sys::v1::RepositoryPageContext, criteria::of_messages);

/// A page context in domain types.
pub(super) struct ParsedContext {
    pub listing: Listing,
    pub page: i32,
    pub view: View,
}

impl ParsedContext {
    /// Parses a context of a request or of a sealed context, with the same checks.
    pub(super) fn parse(context: &mut impl PageContext, violations: &mut Violations) -> Self {
        let criteria = context.criteria(violations);
        let sort = sort(context.sort(), violations);
        let view = View::parse(context.view_number(), "context.view", violations);
        let pagination = context.pagination().unwrap_or_default();
        let (rows_per_page, page) = page_size_and_number(pagination, violations);
        if pagination.do_count {
            criteria::refuse_count_by_recipient(&criteria, violations);
        }
        let listing = Listing {
            criteria,
            sort,
            rows_per_page,
            count: pagination.do_count,
        };
        Self {
            listing,
            page,
            view,
        }
    }
}

fn sort(given: v1::SortCriteria, violations: &mut Violations) -> Sort {
    let field = enums::known(given.field, "context.sort_criteria.field", violations);
    let direction = enums::known(
        given.direction,
        "context.sort_criteria.direction",
        violations,
    );
    Sort {
        field: match field {
            Some(v1::SortField::UpdateTime) => SortField::UpdateTime,
            Some(v1::SortField::Unspecified | v1::SortField::CreateTime) | None => {
                SortField::CreateTime
            }
        },
        direction: match direction {
            Some(v1::SortDirection::Ascending) => Direction::Ascending,
            Some(v1::SortDirection::Unspecified | v1::SortDirection::Descending) | None => {
                Direction::Descending
            }
        },
    }
}

/// Returns the number of rows per page, and the page number.
fn page_size_and_number(pagination: v1::Pagination, violations: &mut Violations) -> (u32, i32) {
    let mut reject = |field: &str, error| {
        let description = match error {
            PageError::Negative => "must not be negative",
            PageError::TooFar => "is too far: turn pages from a context instead",
        };
        violations.invalid(format!("context.pagination.{field}"), description);
    };
    let rows = rows_per_page(pagination.rows_per_page).unwrap_or_else(|error| {
        reject("rows_per_page", error);
        1
    });
    let page = page_number(pagination.page_number, rows).unwrap_or_else(|error| {
        reject("page_number", error);
        1
    });
    (rows, page)
}

#[cfg(test)]
mod tests {
    use domain::Reason;

    use super::*;

    fn parse(mut context: v1::PageContext) -> Result<ParsedContext, Violations> {
        let mut violations = Violations::none();
        let parsed = ParsedContext::parse(&mut context, &mut violations);
        violations.check().map(|()| parsed)
    }

    fn pagination(rows_per_page: i32, page_number: i32) -> v1::PageContext {
        v1::PageContext {
            pagination: Some(v1::Pagination {
                rows_per_page,
                page_number,
                do_count: false,
            }),
            ..v1::PageContext::default()
        }
    }

    #[test]
    fn an_empty_context_lists_everything_newest_first() {
        let parsed = parse(v1::PageContext::default()).expect("a listing");
        assert_eq!(parsed.listing.criteria, Criteria::default());
        assert_eq!(parsed.listing.sort, Sort::default());
        assert_eq!((parsed.listing.rows_per_page, parsed.page), (50, 1));
        assert_eq!(parsed.view, View::Full);
    }

    #[test]
    fn page_sizes_are_capped_and_page_numbers_bounded() {
        let rows =
            |context| parse(context).map(|parsed| (parsed.listing.rows_per_page, parsed.page));
        assert_eq!(rows(pagination(1000, 2)), Ok((200, 2)));
        assert_eq!(rows(pagination(100, 100)), Ok((100, 100)));
        for (context, field) in [
            (pagination(-1, 0), "context.pagination.rows_per_page"),
            (pagination(0, -1), "context.pagination.page_number"),
            (pagination(100, 101), "context.pagination.page_number"),
        ] {
            let violations = rows(context).expect_err("a violation");
            assert_eq!(violations.as_slice()[0].field, field);
        }
    }

    #[test]
    fn all_violations_are_reported_together() {
        let context = v1::PageContext {
            search_criteria: Some(v1::SearchCriteria {
                msgbox: "drafts".into(),
                kind: 99,
                ..v1::SearchCriteria::default()
            }),
            sort_criteria: Some(v1::SortCriteria {
                field: 99,
                direction: -1,
            }),
            view: 99,
            ..pagination(-1, -1)
        };
        let violations = parse(context).err().expect("violations");
        assert_eq!(violations.as_slice().len(), 7);
        assert_eq!(violations.as_slice()[0].reason, Reason::MsgboxUnknown);
    }
}
