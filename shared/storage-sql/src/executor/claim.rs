//! Idempotency: whoever claims a request's key first does the work; everybody else gets
//! that answer.

use std::collections::{BTreeMap, HashSet};

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

/// Takes the keys that nobody has, and those whose time is over.
static CLAIM: Statement = Statement::with_rows(
    2,
    &[
        ("app_no", Kind::Int),
        ("request_key", Kind::Bytes),
        ("fingerprint", Kind::Bytes),
    ],
    "INSERT INTO request (app_no, request_key, fingerprint, expire_ms)
     SELECT r.app_no, r.request_key, r.fingerprint, $2 FROM r WHERE true ORDER BY r.ord
     ON CONFLICT (app_no, request_key) DO UPDATE
     SET fingerprint = excluded.fingerprint, result = NULL, expire_ms = excluded.expire_ms
     WHERE request.expire_ms <= $1
     RETURNING app_no, request_key",
);

static ANSWERS: Statement = Statement::with_rows(
    0,
    &[("app_no", Kind::Int), ("request_key", Kind::Bytes)],
    "SELECT q.app_no, q.request_key, q.fingerprint, q.result FROM r
     CROSS JOIN request q WHERE q.app_no = r.app_no AND q.request_key = r.request_key",
);

static REMEMBER: Statement = Statement::with_rows(
    0,
    &[
        ("app_no", Kind::Int),
        ("request_key", Kind::Bytes),
        ("fingerprint", Kind::Bytes),
        ("result", Kind::Text),
    ],
    "UPDATE request SET fingerprint = r.fingerprint, result = r.result FROM r
     WHERE request.app_no = r.app_no AND request.request_key = r.request_key",
);

static FORGET: Statement = Statement::with_rows(
    0,
    &[("app_no", Kind::Int), ("request_key", Kind::Bytes)],
    "DELETE FROM request WHERE (app_no, request_key) IN (SELECT r.app_no, r.request_key FROM r)",
);

type Key = (i64, RequestKey);

/// The keys of a batch, and the answers that are known.
pub struct Claims {
    claimed: HashSet<Key>,
    answers: BTreeMap<Key, (Fingerprint, Outcome)>,
}

impl Claims {
    /// Claims the keys of the jobs in their order, and reads the answers of those that
    /// were claimed before. Waits for whoever is working on one of them.
    pub async fn take<DB: Backend>(
        connection: &mut Connection<DB>,
        now: Millis,
        jobs: &[Job],
    ) -> Result<Self, Error> {
        let wanted: BTreeMap<Key, Fingerprint> = jobs
            .iter()
            .filter_map(|job| Some((key(job)?, job.operation.request?.fingerprint)))
            .collect();
        let mut claims = Self {
            claimed: HashSet::new(),
            answers: BTreeMap::new(),
        };
        if wanted.is_empty() {
            return Ok(claims);
        }
        let mut call = Call::of(&CLAIM)
            .with(now.0)
            .with(now.after(IDEMPOTENCY_MS).0);
        for ((app_no, key), fingerprint) in &wanted {
            call.row([
                (*app_no).into(),
                key.0.as_slice().into(),
                fingerprint.0.as_slice().into(),
            ]);
        }
        for mut row in connection.fetch(call).await? {
            claims
                .claimed
                .insert((row.int()?, request_key(&row.bytes()?)?));
        }

        let mut call = Call::of(&ANSWERS);
        for (app_no, key) in wanted.keys().filter(|key| !claims.claimed.contains(*key)) {
            call.row([(*app_no).into(), key.0.as_slice().into()]);
        }
        if call.is_empty() {
            return Ok(claims);
        }
        for mut row in connection.fetch(call).await? {
            let app_no = row.int()?;
            let key = request_key(&row.bytes()?)?;
            let fingerprint = half(&row.bytes()?).map(Fingerprint);
            let outcome = row.text_or_null()?.and_then(|text| Outcome::decode(&text));
            let answer = fingerprint
                .zip(outcome)
                .ok_or_else(|| corrupt("request", "result", &format!("{:02x?}", key.0)))?;
            claims.answers.insert((app_no, key), answer);
        }
        // Neither free nor answered: whoever had it gave it back in between.
        if claims.claimed.len() + claims.answers.len() < wanted.len() {
            return Err(Error::Busy("a request key changed hands".into()));
        }
        Ok(claims)
    }

    /// The answer to a job, if its request was answered before.
    pub fn answer(&self, job: &Job) -> Option<Verdict> {
        let (fingerprint, outcome) = self.answers.get(&key(job)?)?;
        let same = job.operation.request?.fingerprint == *fingerprint;
        Some(if same {
            Ok(outcome.clone())
        } else {
            Err(Refusal::RequestIdReused)
        })
    }

    /// Keeps what was done for a job, for those that repeat it. Refusals are not kept.
    pub fn remember(&mut self, job: &Job, verdict: &Verdict) {
        if let (Some(key), Some(request), Ok(outcome)) = (key(job), job.operation.request, verdict)
        {
            self.answers
                .entry(key)
                .or_insert_with(|| (request.fingerprint, outcome.clone()));
        }
    }

    /// Writes the answers of the keys that this batch claimed, and gives back the keys for
    /// which nothing was done.
    pub async fn settle<DB: Backend>(self, connection: &mut Connection<DB>) -> Result<(), Error> {
        let (mut remember, mut forget) = (Call::of(&REMEMBER), Call::of(&FORGET));
        for key in &self.claimed {
            let (app_no, request_key) = (key.0.into(), key.1.0.as_slice().into());
            match self.answers.get(key) {
                Some((fingerprint, outcome)) => {
                    let fingerprint = fingerprint.0.as_slice().into();
                    remember.row([app_no, request_key, fingerprint, outcome.encode().into()]);
                }
                None => forget.row([app_no, request_key]),
            }
        }
        connection.change("request", remember).await?;
        connection.change("request", forget).await
    }
}

fn key(job: &Job) -> Option<Key> {
    Some((job.app_no, job.operation.request?.key))
}

fn request_key(bytes: &[u8]) -> Result<RequestKey, Error> {
    half(bytes)
        .map(RequestKey)
        .ok_or_else(|| corrupt("request", "request_key", &format!("{bytes:02x?}")))
}

fn half(bytes: &[u8]) -> Option<[u8; 16]> {
    bytes.try_into().ok()
}
