//! Idempotency: a request that was carried out is not carried out again; its answer is
//! given again.

use std::collections::{BTreeMap, BTreeSet};

use domain::limits::IDEMPOTENCY_MS;
use domain::request::{Fingerprint, RequestKey};
use domain::{Millis, Outcome, Refusal};
use storage::Error;

use super::{Job, Verdict};
use crate::backend::Backend;
use crate::connection::Connection;
use crate::error::corrupt;
use crate::rows::Call;
use crate::statement::{Kind, Statement};

static READ: Statement = Statement::with_rows(
    0,
    &[("app_no", Kind::Int), ("request_key", Kind::Bytes)],
    "SELECT q.app_no, q.request_key, q.fingerprint, q.result, q.expire_ms FROM r
     CROSS JOIN request q WHERE q.app_no = r.app_no AND q.request_key = r.request_key",
);

static FORGET: Statement = Statement::with_rows(
    0,
    &[("app_no", Kind::Int), ("request_key", Kind::Bytes)],
    "DELETE FROM request WHERE (app_no, request_key) IN (SELECT r.app_no, r.request_key FROM r)",
);

/// Waits for whoever is writing one of the keys, and fails if that works out: with
/// `ON CONFLICT` each row would take a third more of the log.
static WRITE: Statement = Statement::with_rows(
    1,
    &[
        ("app_no", Kind::Int),
        ("request_key", Kind::Bytes),
        ("fingerprint", Kind::Bytes),
        ("result", Kind::Text),
    ],
    "INSERT INTO request (app_no, request_key, fingerprint, result, expire_ms)
     SELECT r.app_no, r.request_key, r.fingerprint, r.result, $1 FROM r ORDER BY r.ord",
);

type Key = (i64, RequestKey);

/// The answers to the requests of a batch.
pub struct Answers {
    now: Millis,
    known: BTreeMap<Key, (Fingerprint, Outcome)>,
    /// Keys of answers whose time is over.
    over: BTreeSet<Key>,
    /// Those that this batch found.
    new: Vec<Key>,
}

impl Answers {
    /// Reads what is known of the jobs.
    pub async fn read<DB: Backend>(
        connection: &mut Connection<DB>,
        now: Millis,
        jobs: &[Job],
    ) -> Result<Self, Error> {
        let mut answers = Self {
            now,
            known: BTreeMap::new(),
            over: BTreeSet::new(),
            new: Vec::new(),
        };
        let mut call = Call::of(&READ);
        for (app_no, key) in jobs.iter().filter_map(key) {
            call.row([app_no.into(), key.0.as_slice().into()]);
        }
        if call.is_empty() {
            return Ok(answers);
        }
        for mut row in connection.fetch(call).await? {
            let app_no = row.int()?;
            let key = row.bytes()?;
            let fingerprint = exact(&row.bytes()?).map(Fingerprint);
            let outcome = Outcome::decode(&row.text()?);
            let (key, answer) = exact(&key)
                .map(RequestKey)
                .zip(fingerprint.zip(outcome))
                .ok_or_else(|| corrupt("request", "result", &format!("{key:02x?}")))?;
            if row.millis()? > now {
                answers.known.insert((app_no, key), answer);
            } else {
                answers.over.insert((app_no, key));
            }
        }
        Ok(answers)
    }

    /// The answer to a job, if its request was answered before.
    pub fn answer(&self, job: &Job) -> Option<Verdict> {
        let (fingerprint, outcome) = self.known.get(&key(job)?)?;
        let same = job.operation.request?.fingerprint == *fingerprint;
        Some(if same {
            Ok(outcome.clone())
        } else {
            Err(Refusal::RequestIdReused)
        })
    }

    /// Keeps what was done for a job, for those that repeat it. Refusals are not kept.
    pub fn keep(&mut self, job: &Job, outcome: &Outcome) {
        if let (Some(key), Some(request)) = (key(job), job.operation.request) {
            self.known
                .insert(key, (request.fingerprint, outcome.clone()));
            self.new.push(key);
        }
    }

    /// Writes what is new, in the order of the keys.
    ///
    /// # Errors
    /// [`Error::Busy`] if somebody else has carried out one of the requests in between.
    pub async fn write<DB: Backend>(
        mut self,
        connection: &mut Connection<DB>,
    ) -> Result<(), Error> {
        self.new.sort_unstable();
        let mut forget = Call::of(&FORGET);
        let mut write = Call::of(&WRITE).with(self.now.after(IDEMPOTENCY_MS).0);
        for key in &self.new {
            let (app_no, request_key) = (key.0, key.1.0.as_slice());
            if self.over.contains(key) {
                forget.row([app_no.into(), request_key.into()]);
            }
            let (fingerprint, outcome) = &self.known[key];
            write.row([
                app_no.into(),
                request_key.into(),
                fingerprint.0.as_slice().into(),
                outcome.encode().into(),
            ]);
        }
        connection.change("request", forget).await?;
        connection.change("request", write).await
    }
}

fn key(job: &Job) -> Option<Key> {
    Some((job.app.app_no, job.operation.request?.key))
}

fn exact<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}
