//! Profile ids from a file, one a line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use domain::ProfileId;
use domain::limits::ID_BYTES_MAX;

use crate::failure::Failure;
use crate::limits::{LINE_BYTES_MAX, SEGMENT_CHUNK_IDS};

/// A file with profile ids, of which a line is held at a time.
pub struct Ids<R> {
    /// How it is called where something is wrong with it.
    name: String,
    /// How long it is, if that is known.
    pub bytes: Option<u64>,
    /// Lines that were read.
    line: u64,
    source: R,
}

/// What one message of the stream takes.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// The ids.
    pub ids: Vec<String>,
    /// How much of the file they take.
    pub bytes: u64,
}

impl Ids<Box<dyn BufRead + Send>> {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Self {
                name: "standard input".to_owned(),
                bytes: None,
                line: 0,
                source: Box::new(BufReader::new(io::stdin())),
            });
        }
        let name = path.display().to_string();
        let unusable = |error| Failure::Usage(format!("{name}: {error}"));
        let file = File::open(path).map_err(unusable)?;
        let about = file.metadata().map_err(unusable)?;
        Ok(Self {
            bytes: about.is_file().then_some(about.len()),
            name,
            line: 0,
            source: Box::new(BufReader::new(file)),
        })
    }
}

impl<R: BufRead> Ids<R> {
    /// The next ids, as many as go into one message of the stream; none at the end.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is no profile id.
    pub fn next_chunk(&mut self) -> Result<Option<Chunk>, Failure> {
        let mut chunk = Chunk::default();
        let mut line = Vec::new();
        while chunk.ids.len() < SEGMENT_CHUNK_IDS {
            line.clear();
            let read = self.read_line(&mut line)?;
            if read == 0 {
                break;
            }
            chunk.bytes += read;
            chunk.ids.extend(self.parse(&line)?);
        }
        Ok((!chunk.ids.is_empty()).then_some(chunk))
    }

    /// That nothing but empty lines is in it.
    pub fn names_nobody(&self) -> Failure {
        Failure::Usage(format!("{} names no profile", self.name))
    }

    /// Reads a line, and answers how long it is; 0 at the end.
    fn read_line(&mut self, line: &mut Vec<u8>) -> Result<u64, Failure> {
        let mut source = self.source.by_ref().take(LINE_BYTES_MAX);
        let read = source.read_until(b'\n', line);
        self.line += 1;
        match read {
            Ok(read) => Ok(read as u64),
            Err(error) => Err(self.wrong(&error.to_string())),
        }
    }

    /// The id on a line; none if it is empty.
    fn parse(&self, line: &[u8]) -> Result<Option<String>, Failure> {
        if line.len() as u64 == LINE_BYTES_MAX {
            return Err(self.wrong(&format!(
                "longer than a profile id, which has up to {ID_BYTES_MAX} bytes"
            )));
        }
        let text = str::from_utf8(line).map_err(|_| self.wrong("no UTF-8"))?;
        let id = text.trim();
        if id.is_empty() {
            return Ok(None);
        }
        match ProfileId::parse(id) {
            Ok(_) => Ok(Some(id.to_owned())),
            Err(error) => Err(self.wrong(&format!("{id:?} is no profile id: {error}"))),
        }
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::Usage(format!("{}, line {}: {what}", self.name, self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &[u8]) -> Ids<&[u8]> {
        Ids {
            name: "finalists.txt".to_owned(),
            bytes: None,
            line: 0,
            source: text,
        }
    }

    fn told(text: &[u8]) -> String {
        let failed = ids(text).next_chunk().expect_err("a failure");
        failed.to_string()
    }

    #[test]
    fn empty_lines_and_spaces_around_ids_are_passed_over() {
        let mut ids = ids(b"\n alice\r\n\n\t\nbob");
        let chunk = ids.next_chunk().expect("ids").expect("a chunk");
        assert_eq!(chunk.ids, ["alice", "bob"]);
        assert_eq!(chunk.bytes, 15);
        assert_eq!(ids.next_chunk().expect("an end"), None);
    }

    #[test]
    fn many_ids_come_in_chunks() {
        let lines = (0..=SEGMENT_CHUNK_IDS).map(|number| format!("u{number}"));
        let text = lines.collect::<Vec<_>>().join("\n");
        let mut ids = ids(text.as_bytes());
        let first = ids.next_chunk().expect("ids").expect("a chunk");
        assert_eq!(first.ids.len(), SEGMENT_CHUNK_IDS);
        let last = ids.next_chunk().expect("ids").expect("a chunk");
        assert_eq!(last.ids, [format!("u{SEGMENT_CHUNK_IDS}")]);
        assert_eq!(ids.next_chunk().expect("an end"), None);
    }

    #[test]
    fn a_line_that_is_no_profile_id_is_named() {
        assert_eq!(told(b"alice\n\xff\n"), "finalists.txt, line 2: no UTF-8");
        let told_of_spaces = told(b"alice\n\nbob and carol\n");
        assert!(told_of_spaces.contains("line 3: \"bob and carol\" is no profile id"));
        let endless = [b'a'].repeat(usize::try_from(LINE_BYTES_MAX).expect("a size") + 1);
        assert!(told(&endless).contains("line 1: longer than a profile id"));
    }
}
