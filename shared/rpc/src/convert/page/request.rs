//! Requests for a page: by number, or by an offset from an earlier page.

use domain::Violations;
use domain::page::{Found, Listing, Page, PagePosition, PageStep, Scan};
use proto::internal::v1::PageContextState;
use storage::Error;

use super::context::{PageContext, ParsedContext};
use super::position;
use crate::convert::token::Binding;
use crate::convert::view::View;

/// Request for a page of a listing.
#[derive(Debug)]
pub struct PageRequest {
    /// View of the messages.
    pub view: View,
    /// Encoded page context of the first request, without its page number. The contexts of all
    /// pages carry it.
    context: Vec<u8>,
    listing: Listing,
    step: PageStep,
}

impl PageRequest {
    /// Parses the `context` of a request without other fields.
    ///
    /// # Errors
    /// All violations of the context.
    pub fn parse<C: PageContext>(context: Option<C>) -> Result<Self, Violations> {
        let mut violations = Violations::none();
        let request = Self::numbered(context, &mut violations);
        violations.finish(Some(request))
    }

    /// Parses the `context` of a request, which names a page by its number.
    pub fn numbered<C: PageContext>(context: Option<C>, violations: &mut Violations) -> Self {
        let mut context = context.unwrap_or_default();
        let ParsedContext {
            listing,
            page,
            view,
        } = ParsedContext::parse(&mut context, violations);
        if let Some(pagination) = context.pagination() {
            pagination.page_number = 0;
        }
        Self {
            view,
            context: context.encode_to_vec(),
            step: PageStep::to(&listing, page),
            listing,
        }
    }

    /// Opens a sealed context, and requests the page `offset` pages from its own. None if the
    /// context was altered, belongs to something else, or would be invalid in a request.
    #[must_use]
    pub fn offset<C: PageContext>(
        binding: Binding<'_>,
        context: &str,
        offset: i32,
    ) -> Option<Self> {
        let state: PageContextState = binding.open(context)?;
        let position = position::parse(&state)?;
        let mut violations = Violations::none();
        let mut context = C::decode(&*state.asked).ok()?;
        let ParsedContext { listing, view, .. } =
            ParsedContext::parse(&mut context, &mut violations);
        violations.is_empty().then(|| Self {
            view,
            context: state.asked,
            step: PageStep::from(&listing, position, offset),
            listing,
        })
    }

    /// Reads the page with `read`, and returns it with the other result of `read`. A request
    /// beyond the beginning yields the first page as it is now.
    pub(super) async fn read<T, B, F>(
        &self,
        read: impl Fn(Scan) -> F,
    ) -> Result<(Page<T>, B), Error>
    where
        F: Future<Output = Result<(Found<T>, B), Error>>,
    {
        let mut step = self.step.clone();
        loop {
            let (found, beside) = read(step.scan.clone()).await?;
            match step.page(found) {
                Some(page) => return Ok((page, beside)),
                // Only a backward request returns none, and this one is forward.
                None => step = PageStep::to(&self.listing, 1),
            }
        }
    }

    /// Returns the sealed context of the page that was read.
    pub(super) fn seal(self, binding: Binding<'_>, position: PagePosition) -> String {
        binding.seal(&position::state(self.context, position))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use domain::page::{Key, Seek};
    use domain::{AppId, Msgbox, ProfileId};
    use prost::Message as _;
    use proto::v1::{PageContext as Context, Pagination, SearchCriteria};

    use super::*;
    use crate::convert::testing;

    const METHOD: &str = "m";

    fn binding<'a>(app: &'a AppId, owner: &'a ProfileId) -> Binding<'a> {
        Binding {
            app,
            owner: Some(owner),
            method: METHOD,
        }
    }

    fn key(number: u128) -> Key {
        Key {
            message_id: testing::message_id(number),
            msgbox: Msgbox::Inbox,
            change: 7,
        }
    }

    fn found(numbers: &[u128]) -> Found<u128> {
        Found {
            items: numbers
                .iter()
                .map(|&number| (key(number), number))
                .collect(),
            more: true,
            reached: None,
            count: None,
        }
    }

    fn inbox() -> Context {
        Context {
            search_criteria: Some(SearchCriteria {
                msgbox: "inbox".into(),
                ..SearchCriteria::default()
            }),
            pagination: Some(Pagination {
                rows_per_page: 2,
                page_number: 3,
                do_count: true,
            }),
            ..Context::default()
        }
    }

    /// Returns the context of the third page of the inbox, with the rows 9 and 8.
    async fn context(binding: Binding<'_>) -> String {
        let mut violations = Violations::none();
        let request = PageRequest::numbered(Some(inbox()), &mut violations);
        assert!(violations.is_empty());
        let read = async |_: Scan| Ok((found(&[9, 8]), ()));
        let (page, ()) = request.read(read).await.expect("a page");
        request.seal(binding, page.position)
    }

    #[tokio::test]
    async fn a_context_reaches_the_next_and_previous_page() {
        let (app, owner) = (testing::app("a"), testing::profile("alice"));
        let binding = binding(&app, &owner);
        let context = context(binding).await;
        let next = PageRequest::offset::<Context>(binding, &context, 1).expect("a request");
        assert_eq!(next.step.scan.seek, Seek::After(key(8)));
        assert_eq!(next.listing.rows_per_page, 2);
        assert!(next.listing.count);
        assert_eq!(next.listing.criteria.msgbox, Some(Msgbox::Inbox));
        let previous = PageRequest::offset::<Context>(binding, &context, -1).expect("a request");
        assert_eq!(previous.step.scan.seek, Seek::After(key(9)));
    }

    #[tokio::test]
    async fn a_context_of_another_owner_app_or_method_is_rejected() {
        let (app, owner) = (testing::app("a"), testing::profile("alice"));
        let (other_app, other) = (testing::app("b"), testing::profile("bob"));
        let context = context(binding(&app, &owner)).await;
        for other in [
            binding(&app, &other),
            binding(&other_app, &owner),
            Binding {
                method: "n",
                ..binding(&app, &owner)
            },
        ] {
            assert!(PageRequest::offset::<Context>(other, &context, 1).is_none());
        }
    }

    #[test]
    fn a_context_that_would_be_an_invalid_request_is_rejected() {
        let (app, owner) = (testing::app("a"), testing::profile("alice"));
        let binding = binding(&app, &owner);
        let state = |asked: Vec<u8>, page| PageContextState {
            asked,
            page,
            ..PageContextState::default()
        };
        let drafts = Context {
            search_criteria: Some(SearchCriteria {
                msgbox: "drafts".into(),
                ..SearchCriteria::default()
            }),
            ..Context::default()
        };
        for (state, accepted) in [
            (state(inbox().encode_to_vec(), 1), true),
            (state(inbox().encode_to_vec(), 0), false),
            (state(drafts.encode_to_vec(), 1), false),
            (state(vec![0xff], 1), false),
        ] {
            let request = PageRequest::offset::<Context>(binding, &binding.seal(&state), 1);
            assert_eq!(request.is_some(), accepted, "{state:?}");
        }
    }

    #[tokio::test]
    async fn an_offset_before_the_beginning_yields_the_first_page() {
        let (app, owner) = (testing::app("a"), testing::profile("alice"));
        let binding = binding(&app, &owner);
        let context = context(binding).await;
        let request = PageRequest::offset::<Context>(binding, &context, -2).expect("a request");
        let answers = RefCell::new(vec![
            found(&[9]),
            Found {
                more: false,
                ..found(&[])
            },
        ]);
        let read = async |_: Scan| Ok((answers.borrow_mut().pop().expect("a read"), ()));
        let (page, ()) = request.read(read).await.expect("a page");
        assert_eq!((page.position.page, page.items), (1, vec![9]));
        assert!(!page.more_before);
    }
}
