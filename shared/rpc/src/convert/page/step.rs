//! A step to a page: the first one that a caller sees, or one from there.

use domain::Violations;
use domain::page::{Found, Listing, Page, PagePosition, PageStep, Scan};
use proto::internal::v1::PageContextState;
use storage::Error;

use super::asked::{Asked, PageContext};
use super::position;
use crate::convert::token::Binding;
use crate::convert::view::View;

/// A step to a page of what a caller asked for.
#[derive(Debug)]
pub struct Step {
    /// How much of each message the page shows.
    pub view: View,
    /// What was asked for, encoded, without its page number: the contexts of all its pages
    /// carry it.
    asked: Vec<u8>,
    listing: Listing,
    turn: PageStep,
}

impl Step {
    /// To the page that a request names, in `context`, where nothing else can be wrong.
    ///
    /// # Errors
    /// All that is wrong with the context.
    pub fn parse<C: PageContext>(context: Option<C>) -> Result<Self, Violations> {
        let mut violations = Violations::none();
        let step = Self::to(context, &mut violations);
        violations.finish(Some(step))
    }

    /// To the page that a request names, in `context`.
    pub fn to<C: PageContext>(context: Option<C>, violations: &mut Violations) -> Self {
        let mut context = context.unwrap_or_default();
        let Asked {
            listing,
            page,
            view,
        } = Asked::parse(&mut context, violations);
        if let Some(pagination) = context.pagination() {
            pagination.page_number = 0;
        }
        Self {
            view,
            asked: context.encode_to_vec(),
            turn: PageStep::to(&listing, page),
            listing,
        }
    }

    /// To the page that is `offset` pages from the one of a context. None if the context
    /// was altered, is bound to something else, or says what no request may say.
    #[must_use]
    pub fn from<C: PageContext>(binding: Binding<'_>, context: &str, offset: i32) -> Option<Self> {
        let state: PageContextState = binding.open(context)?;
        let position = position::parse(&state)?;
        let mut violations = Violations::none();
        let mut context = C::decode(&*state.asked).ok()?;
        let Asked { listing, view, .. } = Asked::parse(&mut context, &mut violations);
        violations.is_empty().then(|| Self {
            view,
            asked: state.asked,
            turn: PageStep::from(&listing, position, offset),
            listing,
        })
    }

    /// Takes the step: the page, and what `read` says beside its rows. A step that leads
    /// before the beginning ends at the first page as it is now.
    pub(super) async fn take<T, B, F>(
        &self,
        read: impl Fn(Scan) -> F,
    ) -> Result<(Page<T>, B), Error>
    where
        F: Future<Output = Result<(Found<T>, B), Error>>,
    {
        let mut turn = self.turn.clone();
        loop {
            let (found, beside) = read(turn.scan.clone()).await?;
            match turn.page(found) {
                Some(page) => return Ok((page, beside)),
                // Only a step backward ends here, and this one is none.
                None => turn = PageStep::to(&self.listing, 1),
            }
        }
    }

    /// The context of the page that it led to.
    pub(super) fn context(self, binding: Binding<'_>, position: PagePosition) -> String {
        binding.seal(&position::state(self.asked, position))
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

    /// The context of the third page of the inbox, with the rows 9 and 8.
    async fn context(binding: Binding<'_>) -> String {
        let mut violations = Violations::none();
        let step = Step::to(Some(inbox()), &mut violations);
        assert!(violations.is_empty());
        let read = async |_: Scan| Ok((found(&[9, 8]), ()));
        let (page, ()) = step.take(read).await.expect("a page");
        step.context(binding, page.position)
    }

    #[tokio::test]
    async fn a_context_leads_on_from_its_page() {
        let (app, owner) = (testing::app("a"), testing::profile("alice"));
        let binding = binding(&app, &owner);
        let context = context(binding).await;
        let next = Step::from::<Context>(binding, &context, 1).expect("a step");
        assert_eq!(next.turn.scan.seek, Seek::After(key(8)));
        assert_eq!(next.listing.rows_per_page, 2);
        assert!(next.listing.count);
        assert_eq!(next.listing.criteria.msgbox, Some(Msgbox::Inbox));
        let previous = Step::from::<Context>(binding, &context, -1).expect("a step");
        assert_eq!(previous.turn.scan.seek, Seek::After(key(9)));
    }

    #[tokio::test]
    async fn a_context_of_another_owner_app_or_method_is_none() {
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
            assert!(Step::from::<Context>(other, &context, 1).is_none());
        }
    }

    #[test]
    fn a_context_cannot_say_what_no_request_may_say() {
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
            let step = Step::from::<Context>(binding, &binding.seal(&state), 1);
            assert_eq!(step.is_some(), accepted, "{state:?}");
        }
    }

    #[tokio::test]
    async fn a_step_before_the_beginning_ends_at_the_first_page() {
        let (app, owner) = (testing::app("a"), testing::profile("alice"));
        let binding = binding(&app, &owner);
        let context = context(binding).await;
        let step = Step::from::<Context>(binding, &context, -2).expect("a step");
        let answers = RefCell::new(vec![
            found(&[9]),
            Found {
                more: false,
                ..found(&[])
            },
        ]);
        let read = async |_: Scan| Ok((answers.borrow_mut().pop().expect("a read"), ()));
        let (page, ()) = step.take(read).await.expect("a page");
        assert_eq!((page.position.page, page.items), (1, vec![9]));
        assert!(!page.more_before);
    }
}
