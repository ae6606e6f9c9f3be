use domain::segment::{ChangeReport, JobCounts, JobId, JobState};

use super::*;

/// The id of a message sent at 10 ms.
const MESSAGE: Uuid = Uuid::from_u128(0x0000_0000_000a_7000_8000_0000_0000_0000);

const fn sent() -> Sent {
    Sent {
        message_id: MessageId::new(MESSAGE),
        requested: 3,
        actual: 2,
        send_ms: Millis(10),
        expire_ms: Millis(20),
    }
}

#[test]
fn stored_forms_of_frequent_outcomes_are_short() {
    let revision = Revision {
        message_id: MessageId::new(MESSAGE),
        version: 2,
        update_ms: Millis(30),
        digest: [7; 32],
    };
    let many = Sent {
        requested: 70_000,
        ..sent()
    };
    let sevens = ["7"; 32].join(",");
    for (outcome, stored) in [
        (Outcome::Done, r#""d""#.to_owned()),
        (Outcome::Changed(5), r#"{"c":5}"#.to_owned()),
        (
            Outcome::Sent(sent()),
            r#"{"s":"AAAAAAAKcACAAAAAAAAAAAADAAIAAAAAABQ"}"#.to_owned(),
        ),
        (
            Outcome::Sent(many),
            r#"{"s":"AAAAAAAKcACAAAAAAAAAAAABEXAAAAACAAAAAAAAABQ"}"#.to_owned(),
        ),
        (
            Outcome::Revised(revision),
            format!(
                r#"{{"r":{{"i":"00000000-000a-7000-8000-000000000000","v":2,"u":30,"d":[{sevens}]}}}}"#
            ),
        ),
    ] {
        assert_eq!(encode(&outcome), stored);
        assert_eq!(decode(&stored), Some(outcome));
    }
}

#[test]
fn outcomes_of_jobs_and_settings_survive_storage() {
    let settings = Settings {
        version: 4,
        allow_edit: Some(false),
        ..Settings::default()
    };
    let sent = SegmentSent {
        job_id: JobId::NONE,
        message_id: MessageId::new(MESSAGE),
        accepted: 70_000,
        duplicates: 3,
        send_ms: Millis(10),
        expire_ms: Millis(20),
    };
    let report = JobReport {
        job_id: JobId::NONE,
        message_id: MessageId::new(MESSAGE),
        state: JobState::Cancelled,
        counts: JobCounts {
            accepted: 6,
            duplicates: 1,
            delivered: 3,
            full: 2,
            failed: 1,
        },
        change: Some(ChangeReport {
            is_recall: true,
            reached: 2,
            total: 3,
        }),
    };
    for outcome in [
        Outcome::SettingsUpdated(settings),
        Outcome::SegmentSent(sent),
        Outcome::Job(report),
    ] {
        assert_eq!(decode(&encode(&outcome)), Some(outcome));
    }
}

#[test]
fn stored_sends_decode_to_the_same_numbers() {
    let most = i64::from(u32::MAX) << 16 | 0xffff;
    for requested in [0, 65_535, 65_536, u32::MAX] {
        for expire_ms in [i64::MIN, -1, 0, 1, most, most + 1, i64::MAX] {
            let outcome = Outcome::Sent(Sent {
                requested,
                actual: requested / 2,
                expire_ms: Millis(expire_ms),
                ..sent()
            });
            assert_eq!(decode(&encode(&outcome)), Some(outcome));
        }
    }
}

#[test]
fn malformed_text_decodes_to_no_outcome() {
    for text in [
        "",
        "{}",
        r#"{"c":-1}"#,
        r#""x""#,
        r#"{"s":"AAAA"}"#,
        r#""d"1"#,
    ] {
        assert_eq!(decode(text), None, "{text}");
    }
}
