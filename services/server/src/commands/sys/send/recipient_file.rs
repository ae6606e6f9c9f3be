//! Reader of profile ids from a file, one per line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use domain::ProfileId;
use domain::limits::PROFILE_ID_BYTES_MAX;

use crate::failure::Failure;
use crate::limits::{LINE_BYTES_MAX, SEGMENT_CHUNK_IDS};

/// Byte order mark, with which some editors and spreadsheets begin a file.
const BYTE_ORDER_MARK: char = '\u{feff}';
/// First lines that are taken for a header, in lower case.
const HEADERS: [&str; 7] = [
    "id",
    "profile",
    "profile_id",
    "profileid",
    "user",
    "user_id",
    "userid",
];

/// Reader of a file with profile ids, which holds one line at a time.
pub struct RecipientFile<R> {
    /// Header of the file: true if its first line is skipped.
    has_header: bool,
    /// Name in errors.
    name: String,
    /// Length of the file, if known.
    pub bytes: Option<u64>,
    /// Number of lines read.
    line: u64,
    source: R,
}

/// Ids of one message of the stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct IdChunk {
    /// Profile ids.
    pub ids: Vec<String>,
    /// Bytes of the file that they take.
    pub bytes: u64,
}

impl RecipientFile<Box<dyn BufRead + Send>> {
    /// Opens a file; `-` is standard input.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(path: &Path, has_header: bool) -> Result<Self, Failure> {
        if path.as_os_str() == "-" {
            return Ok(Self {
                has_header,
                name: "standard input".to_owned(),
                bytes: None,
                line: 0,
                source: Box::new(BufReader::new(io::stdin())),
            });
        }
        let name = path.display().to_string();
        let unusable = |error| Failure::Usage(format!("{name}: {error}"));
        let file = File::open(path).map_err(unusable)?;
        let metadata = file.metadata().map_err(unusable)?;
        Ok(Self {
            has_header,
            bytes: metadata.is_file().then_some(metadata.len()),
            name,
            line: 0,
            source: Box::new(BufReader::new(file)),
        })
    }
}

impl<R: BufRead> RecipientFile<R> {
    /// Reads the ids of the next message of the stream; `None` at the end of the file.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is not a valid profile id.
    pub fn next_chunk(&mut self) -> Result<Option<IdChunk>, Failure> {
        let mut chunk = IdChunk::default();
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

    /// Failure of a file that has only empty lines.
    pub fn empty(&self) -> Failure {
        Failure::Usage(format!("{} contains no profile id", self.name))
    }

    /// Reads a line and returns its length; 0 at the end of the file.
    fn read_line(&mut self, line: &mut Vec<u8>) -> Result<u64, Failure> {
        let mut source = self.source.by_ref().take(LINE_BYTES_MAX);
        let read = source.read_until(b'\n', line);
        self.line += 1;
        match read {
            Ok(read) => Ok(read as u64),
            Err(error) => Err(self.invalid(&error.to_string())),
        }
    }

    /// Parses the id of a line; `None` for an empty line.
    fn parse(&self, line: &[u8]) -> Result<Option<String>, Failure> {
        if line.len() as u64 == LINE_BYTES_MAX {
            return Err(self.invalid(&format!(
                "longer than a profile id, which has up to {PROFILE_ID_BYTES_MAX} bytes"
            )));
        }
        let mut text = str::from_utf8(line).map_err(|_| self.invalid("not valid UTF-8"))?;
        if self.line == 1 {
            text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        }
        let id = text.trim();
        if id.is_empty() || (self.line == 1 && self.has_header) {
            return Ok(None);
        }
        if self.line == 1 && HEADERS.contains(&&*id.to_lowercase()) {
            let what =
                format!("{id:?} may be a header: skip it with --header, or move the id down");
            return Err(self.invalid(&what));
        }
        match ProfileId::parse(id) {
            Ok(_) => Ok(Some(id.to_owned())),
            Err(error) => Err(self.invalid(&format!("{id:?} is not a valid profile id: {error}"))),
        }
    }

    fn invalid(&self, what: &str) -> Failure {
        Failure::Usage(format!("{}, line {}: {what}", self.name, self.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &[u8]) -> RecipientFile<&[u8]> {
        RecipientFile {
            has_header: false,
            name: "finalists.txt".to_owned(),
            bytes: None,
            line: 0,
            source: text,
        }
    }

    fn error(text: &[u8]) -> String {
        let failure = file(text).next_chunk().expect_err("a failure");
        failure.to_string()
    }

    #[test]
    fn an_empty_line_and_surrounding_whitespace_are_ignored() {
        let mut file = file(b"\n alice\r\n\n\t\nbob");
        let chunk = file.next_chunk().expect("ids").expect("a chunk");
        assert_eq!(chunk.ids, ["alice", "bob"]);
        assert_eq!(chunk.bytes, 15);
        assert_eq!(file.next_chunk().expect("an end"), None);
    }

    #[test]
    fn a_byte_order_mark_and_a_header_are_no_ids() {
        let ids = |text: &str, has_header| {
            let mut file = file(text.as_bytes());
            file.has_header = has_header;
            file.next_chunk().map(|chunk| chunk.expect("a chunk").ids)
        };
        let marked = ids("\u{feff}alice\nbob\n", false);
        assert_eq!(marked.expect("ids"), ["alice", "bob"]);
        let headed = ids("\u{feff}Profile_ID\nid\n", true);
        assert_eq!(headed.expect("ids"), ["id"]);
        let failure = ids("\u{feff}Profile_ID\r\nalice\n", false).expect_err("a failure");
        assert!(
            failure
                .to_string()
                .contains("line 1: \"Profile_ID\" may be a header")
        );
    }

    #[test]
    fn a_long_file_is_read_in_chunks() {
        let lines = (0..=SEGMENT_CHUNK_IDS).map(|number| format!("u{number}"));
        let text = lines.collect::<Vec<_>>().join("\n");
        let mut file = file(text.as_bytes());
        let first = file.next_chunk().expect("ids").expect("a chunk");
        assert_eq!(first.ids.len(), SEGMENT_CHUNK_IDS);
        let last = file.next_chunk().expect("ids").expect("a chunk");
        assert_eq!(last.ids, [format!("u{SEGMENT_CHUNK_IDS}")]);
        assert_eq!(file.next_chunk().expect("an end"), None);
    }

    #[test]
    fn an_invalid_line_is_reported_with_its_number() {
        assert_eq!(
            error(b"alice\n\xff\n"),
            "finalists.txt, line 2: not valid UTF-8"
        );
        let hidden = error("alice\n\nbob\u{200b}\n".as_bytes());
        assert!(hidden.contains("line 3: \"bob\\u{200b}\" is not a valid profile id"));
        let endless = [b'a'].repeat(usize::try_from(LINE_BYTES_MAX).expect("a size") + 1);
        assert!(error(&endless).contains("line 1: longer than a profile id"));
    }
}
