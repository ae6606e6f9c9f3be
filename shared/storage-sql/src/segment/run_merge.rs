//! The k-way merge of sorted runs.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use domain::ProfileId;
use storage::Error;

use super::chunks::{StoredRun, lost};
use crate::db::backend::Backend;
use crate::db::pool::Pool;

/// A k-way merge: yields the distinct recipients of sorted runs in order. Holds one chunk of each
/// run in memory.
pub struct RunMerge<'a, DB: Backend> {
    pool: &'a Pool<DB>,
    sources: Vec<RunCursor>,
    /// Next recipient of each source that is not exhausted.
    heads: BinaryHeap<Reverse<(ProfileId, usize)>>,
    last: Option<ProfileId>,
}

struct RunCursor {
    stored: StoredRun,
    drawn: i64,
    next_chunk: i64,
    chunk: VecDeque<ProfileId>,
}

impl<'a, DB: Backend> RunMerge<'a, DB> {
    pub async fn of(pool: &'a Pool<DB>, runs: &[StoredRun]) -> Result<Self, Error> {
        let sources = runs.iter().map(|stored| RunCursor {
            stored: *stored,
            drawn: 0,
            next_chunk: 0,
            chunk: VecDeque::new(),
        });
        let mut merge = Self {
            pool,
            sources: sources.collect(),
            heads: BinaryHeap::new(),
            last: None,
        };
        for index in 0..merge.sources.len() {
            merge.draw(index).await?;
        }
        Ok(merge)
    }

    /// Returns the next recipient. None at the end.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if a run is shorter than it was.
    pub async fn next(&mut self) -> Result<Option<ProfileId>, Error> {
        while let Some(Reverse((recipient, index))) = self.heads.pop() {
            self.draw(index).await?;
            if self.last.as_ref() != Some(&recipient) {
                self.last = Some(recipient.clone());
                return Ok(Some(recipient));
            }
        }
        Ok(None)
    }

    /// Moves the next recipient of a source to the heap.
    async fn draw(&mut self, index: usize) -> Result<(), Error> {
        let source = &mut self.sources[index];
        if source.chunk.is_empty()
            && let Some(chunk) = source
                .stored
                .run
                .chunk(self.pool, source.next_chunk)
                .await?
        {
            source.next_chunk += 1;
            source.chunk = chunk.into();
        }
        match source.chunk.pop_front() {
            Some(recipient) => {
                source.drawn += 1;
                self.heads.push(Reverse((recipient, index)));
                Ok(())
            }
            None if source.drawn == source.stored.recipients => Ok(()),
            None => Err(lost()),
        }
    }
}
