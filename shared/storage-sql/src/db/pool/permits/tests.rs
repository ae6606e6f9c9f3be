use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::*;

fn user(app: &str, user: &str) -> Holder {
    let app = AppId::parse(app).expect("an app id");
    Holder::user(&app, &ProfileId::parse(user).expect("a profile id"))
}

fn app(app: &str) -> Holder {
    Holder::app(&AppId::parse(app).expect("an app id"))
}

/// Callers, each with a permit or waiting for one.
struct PermitCallers {
    permits: Arc<Permits>,
    waiting: Vec<(Holder, BoxFuture<'static, Permit>)>,
    held: Vec<Permit>,
}

impl PermitCallers {
    fn of(count: usize) -> Self {
        Self {
            permits: Permits::new(count),
            waiting: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Adds a caller, and returns whether it has a permit at once.
    fn add(&mut self, holder: &Holder) -> bool {
        let (permits, of) = (Arc::clone(&self.permits), holder.clone());
        let caller = async move { permits.acquire(of).await }.boxed();
        self.waiting.push((holder.clone(), caller));
        !self.poll().is_empty()
    }

    /// Returns those who wait no longer.
    fn poll(&mut self) -> Vec<Holder> {
        let (mut served, mut waiting) = (Vec::new(), Vec::new());
        for (holder, mut caller) in self.waiting.drain(..) {
            if let Some(permit) = (&mut caller).now_or_never() {
                self.held.push(permit);
                served.push(holder);
            } else {
                waiting.push((holder, caller));
            }
        }
        self.waiting = waiting;
        served
    }

    /// Gives the oldest permit back, and returns the callers who have one then.
    fn release(&mut self) -> Vec<Holder> {
        drop(self.held.remove(0));
        self.poll()
    }

    fn is_empty(&self) -> bool {
        self.permits.lock().apps.current().is_none()
    }
}

#[test]
fn limits_are_less_than_a_pool_of_several_connections() {
    let limits = [1, 2, 3, 4, 8, 256].map(PermitLimits::of);
    let expected = [(1, 1), (1, 1), (1, 2), (2, 3), (2, 6), (2, 192)];
    assert_eq!(limits.map(|it| (it.app_itself, it.app)), expected);
}

#[test]
fn a_user_and_an_app_have_no_more_than_their_limits() {
    let mut callers = PermitCallers::of(8);
    let taken =
        |callers: &mut PermitCallers, holder| (0..8).filter(|_| callers.add(&holder)).count();
    assert_eq!(taken(&mut callers, user("one", "ann")), 1);
    assert_eq!(taken(&mut callers, app("one")), 2);
    for name in ["bob", "cid", "dan"] {
        assert_eq!(taken(&mut callers, user("one", name)), 1);
    }
    assert_eq!(taken(&mut callers, user("one", "eve")), 0);
    assert_eq!(taken(&mut callers, user("two", "ann")), 1);
    assert_eq!(callers.permits.free(), 1);
}

#[test]
fn the_service_has_no_limit() {
    let mut callers = PermitCallers::of(8);
    assert!((0..8).all(|_| callers.add(&Holder::SERVICE)));
    assert!(!callers.add(&Holder::SERVICE));
}

#[test]
fn waiting_callers_are_served_by_app_and_in_an_app_by_user() {
    let mut callers = PermitCallers::of(1);
    assert!(callers.add(&user("nobody", "nobody")));
    let (ann, bob, sys) = (user("one", "ann"), user("one", "bob"), app("one"));
    let other = user("two", "ann");
    for holder in [&ann, &ann, &ann, &bob, &bob, &sys, &other, &other] {
        assert!(!callers.add(holder));
    }
    assert!(!callers.add(&Holder::SERVICE));
    let served = [(); 9].map(|()| match &callers.release()[..] {
        [one] => one.clone(),
        other => panic!("{other:?}"),
    });
    let service = Holder::SERVICE;
    let expected = [&ann, &other, &service, &bob, &other, &sys, &ann, &bob, &ann];
    assert!(served.iter().eq(expected), "{served:?}");
    assert!(callers.release().is_empty());
    assert!(callers.is_empty());
}

#[test]
fn a_user_at_the_limit_is_passed_over() {
    let mut callers = PermitCallers::of(4);
    let (ann, bob) = (user("one", "ann"), user("one", "bob"));
    assert!(callers.add(&ann) && callers.add(&bob) && callers.add(&app("one")));
    // The app has three of four.
    assert!(!callers.add(&ann) && !callers.add(&ann) && !callers.add(&bob));
    assert!(callers.add(&Holder::SERVICE));
    callers.held.swap(0, 1);
    assert_eq!(callers.release(), [bob]);
}

#[test]
fn cancelled_callers_leave_no_place() {
    let mut callers = PermitCallers::of(1);
    assert!(callers.add(&user("one", "ann")));
    for _ in 0..100 {
        assert!(!callers.add(&user("one", "ann")));
        assert!(!callers.add(&user("one", "bob")));
    }
    callers.waiting.truncate(1);
    assert_eq!(callers.release(), [user("one", "ann")]);
    assert!(callers.release().is_empty());
    assert!(callers.is_empty());
    assert_eq!(callers.permits.free(), 1);
}

#[test]
fn a_permit_of_a_cancelled_caller_is_released() {
    let mut callers = PermitCallers::of(1);
    assert!(callers.add(&user("one", "ann")));
    assert!(!callers.add(&user("one", "bob")));
    callers.held.clear();
    // It is on its way to its caller, who goes.
    assert_eq!(callers.permits.free(), 0);
    callers.waiting.clear();
    assert_eq!(callers.permits.free(), 1);
    assert!(callers.is_empty());
}
