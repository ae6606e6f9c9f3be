use super::*;

const LIMITS: InFlightLimits = InFlightLimits {
    calls_per_profile: 2,
    calls_per_app: 3,
    answer_bytes: 40 * 1024 * 1024,
};
const MEBIBYTE: usize = 1024 * 1024;

fn app(name: &str) -> AppId {
    AppId::parse(name).expect("an app id")
}

fn profile(name: &str) -> ProfileId {
    ProfileId::parse(name).expect("a profile id")
}

fn begin(all: &Arc<InFlight>, of: &str, by: &str) -> Result<CallInFlight, LimitedQuota> {
    all.begin(&app(of), Some(&profile(by)), None)
}

#[test]
fn a_profile_has_its_calls_and_an_app_the_calls_of_its_profiles() {
    let all = InFlight::new(LIMITS);
    let alice = [(); 2].map(|()| begin(&all, "chess", "alice").expect("a call"));
    let refused = begin(&all, "chess", "alice").err();
    assert_eq!(refused, Some(LimitedQuota::ProfileCallsInFlight));
    let bob = begin(&all, "chess", "bob").expect("a call");
    let refused = begin(&all, "chess", "bob").err();
    assert_eq!(refused, Some(LimitedQuota::AppCallsInFlight));
    let refused = all.begin(&app("chess"), None, None).err();
    assert_eq!(refused, Some(LimitedQuota::AppCallsInFlight));
    let of_another = begin(&all, "checkers", "alice").expect("a call of another app");

    drop(alice);
    let again = begin(&all, "chess", "alice").expect("a call");
    drop((again, bob, of_another));
    assert!(all.begin(&app("chess"), None, None).is_ok());
}

#[test]
fn a_refused_call_is_not_counted() {
    let all = InFlight::new(LIMITS);
    let calls = [(); 2].map(|()| begin(&all, "chess", "alice").expect("a call"));
    for _ in 0..5 {
        begin(&all, "chess", "alice").expect_err("too many calls");
    }
    drop(calls);
    begin(&all, "chess", "alice").expect("a call");
}

#[test]
fn callers_without_calls_are_forgotten() {
    let all = InFlight::new(InFlightLimits::NONE);
    let alice = begin(&all, "chess", "alice").expect("a call");
    for number in 0..10 * CALLERS_MIN {
        // Also of an app that has a call.
        let app = match number % 500 {
            0 => "chess".to_owned(),
            other => format!("app{other}"),
        };
        let profile = number.to_string();
        begin(&all, &app, &profile).expect("a call");
    }
    let mut callers = all.lock();
    let kept = callers.apps.values().map(|app| 1 + app.profiles.len());
    assert_eq!(kept.sum::<usize>(), callers.count);
    assert!(callers.count <= CALLERS_MIN + 2, "{}", callers.count);
    callers.forget_idle();
    assert_eq!(callers.apps[&app("chess")].profiles.len(), 1);
    assert_eq!(callers.count, 2);
    drop(callers);
    drop(alice);
}

#[test]
fn answers_have_room_by_profile_and_in_all() {
    let all = InFlight::new(InFlightLimits {
        calls_per_profile: 100,
        calls_per_app: 100,
        ..LIMITS
    });
    let large = ANSWER_BYTES_PER_PROFILE_MAX;
    let first = begin(&all, "chess", "alice").expect("a call");
    first.try_answer(large).expect("room");
    let second = begin(&all, "chess", "alice").expect("a call");
    assert_eq!(second.try_answer(1), Err(AnswerRefusal::Caller));
    let bob = begin(&all, "chess", "bob").expect("a call");
    bob.try_answer(MEBIBYTE).expect("room for another profile");
    // The app may have half of 40 MiB.
    let carol = begin(&all, "chess", "carol").expect("a call");
    let left = LIMITS.answer_bytes / 2 - large - MEBIBYTE;
    assert_eq!(carol.try_answer(left + 1), Err(AnswerRefusal::Caller));
    carol.try_answer(left).expect("room for the rest");

    let others = begin(&all, "checkers", "alice").expect("a call");
    others.try_answer(large).expect("room for another app");
    let last = begin(&all, "go", "alice").expect("a call");
    assert_eq!(last.try_answer(large), Err(AnswerRefusal::All));

    drop(first);
    second.try_answer(1).expect("room again");
    drop((second, bob, carol, others, last));
    assert_eq!(all.answers.0.load(Ordering::Relaxed), 0);
}

#[test]
fn no_answer_is_made_while_half_of_the_room_is_in_use() {
    let all = InFlight::new(LIMITS);
    let first = begin(&all, "chess", "alice").expect("a call");
    let second = begin(&all, "chess", "alice").expect("a call");
    first
        .try_answer(ANSWER_BYTES_PER_PROFILE_MAX / 2)
        .expect("room");
    assert_eq!(second.may_answer(), Ok(()));
    second.answer(1);
    assert_eq!(second.may_answer(), Err(AnswerRefusal::Caller));
    let bob = begin(&all, "chess", "bob").expect("a call");
    assert_eq!(bob.may_answer(), Ok(()));
    drop(first);
    assert_eq!(second.may_answer(), Ok(()));
}

#[test]
fn an_answer_that_must_not_be_refused_takes_room() {
    let all = InFlight::new(LIMITS);
    let write = begin(&all, "chess", "alice").expect("a call");
    write.answer(ANSWER_BYTES_PER_PROFILE_MAX);
    write.answer(1);
    let read = begin(&all, "chess", "alice").expect("a call");
    assert_eq!(read.try_answer(1), Err(AnswerRefusal::Caller));
    drop(write);
    assert_eq!(read.try_answer(1), Ok(()));
}

#[test]
fn one_answer_of_any_size_has_room() {
    let all = InFlight::new(LIMITS);
    let call = begin(&all, "chess", "alice").expect("a call");
    call.try_answer(2 * LIMITS.answer_bytes).expect("room");
}

#[test]
fn a_connection_has_room_for_answers_of_many_profiles() {
    let all = InFlight::new(InFlightLimits {
        calls_per_profile: 100,
        calls_per_app: 100,
        answer_bytes: 100 * ANSWER_BYTES_PER_CONNECTION_MAX,
    });
    let connections = [(); 2].map(|()| ConnectionAnswers::default());
    let begin = |by: &str, connection: usize| {
        let connection = Some(connections[connection].clone());
        all.begin(&app("chess"), Some(&profile(by)), connection)
            .expect("a call")
    };
    let profiles = ANSWER_BYTES_PER_CONNECTION_MAX / ANSWER_BYTES_PER_PROFILE_MAX;
    let mut calls = Vec::new();
    for number in 0..profiles {
        let call = begin(&number.to_string(), 0);
        call.try_answer(ANSWER_BYTES_PER_PROFILE_MAX).expect("room");
        calls.push(call);
    }
    assert_eq!(begin("last", 0).try_answer(1), Err(AnswerRefusal::Caller));
    begin("last", 1)
        .try_answer(1)
        .expect("room on another connection");
}
