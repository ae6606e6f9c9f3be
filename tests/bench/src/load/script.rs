//! Hand-written baselines on the same tables: one transaction per operation, and one query for a
//! page. Each locks the rows that it changes in one order and reads nothing twice.

use std::fmt::Write as _;

use sqlx::PgConnection;

/// Lifetime of a message, in milliseconds.
const LIFETIME_MS: i64 = 30 * 24 * 3600 * 1000;
/// Recipients of a message to many.
const TEN: usize = 10;

/// The id is a `UUIDv7`, as the service's, so that index pages fill in order here too.
const MESSAGE: &str = "\
INSERT INTO message (message_id, version, send_ms, update_ms, expire_ms, app_no, size_bytes,
    kind, content_kind, modified, sender_profile_id, sender_name, sender_pic, recipients,
    digest, content)
SELECT (lpad(to_hex(ms), 12, '0') || '7' || substr(h, 1, 3) || '8' || substr(h, 4, 15))::uuid,
    1, ms, ms, ms + {lifetime}, {app}, :size::int, :kind::smallint, :content_kind::smallint, 0,
    'u' || :s, 'u' || :s, '', {recipients}, :digest::bytea, :content::bytea
FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms,
    md5(random()::text) AS h) AS now
RETURNING message_id, send_ms \\gset
";

const BETWEEN_ALL: &str = "\
\\set s random(0, :profiles - 1)
\\set r random(0, :profiles - 2)
\\if :r >= :s
\\set r :r + 1
\\endif
";

const BETWEEN_TWO: &str = "\
\\set s random(0, 1)
\\set r 1 - :s
";

/// The lower user first, so that no two transactions wait for each other.
const MAILBOXES: &str = "\
\\if :s < :r
{sender}{recipient}\\else
{recipient}{sender}\\endif
";

const SENDER: &str = "\
UPDATE mailbox SET seq = seq + 1, clock_ms = greatest(clock_ms, :send_ms::bigint),
    sent_total = sent_total + 1, kept_bytes = kept_bytes + :size::int,
    next_expiry_ms = least(next_expiry_ms, :send_ms::bigint + {lifetime})
WHERE app_no = {app} AND profile_id = 'u' || :s
RETURNING mailbox_id AS s_id, seq AS s_seq, clock_ms AS s_ms \\gset
";

const RECIPIENT: &str = "\
UPDATE mailbox SET seq = seq + 1, clock_ms = greatest(clock_ms, :send_ms::bigint),
    inbox_total = inbox_total + 1, inbox_unread = inbox_unread + 1,
    next_expiry_ms = least(next_expiry_ms, :send_ms::bigint + {lifetime})
WHERE app_no = {app} AND profile_id = 'u' || :r
RETURNING mailbox_id AS r_id, seq AS r_seq, clock_ms AS r_ms \\gset
";

const ENTRIES: &str = "\
INSERT INTO msgbox (mailbox_id, message_id, seq, create_seq, create_ms, update_ms, version,
    content_version, expire_ms, app_no, box)
VALUES
    (:s_id::bigint, :message_id::uuid, :s_seq::bigint, :s_seq::bigint, :s_ms::bigint,
     :s_ms::bigint, 1, 1, :send_ms::bigint + {lifetime}, {app}, 1),
    (:r_id::bigint, :message_id::uuid, :r_seq::bigint, :r_seq::bigint, :r_ms::bigint,
     :r_ms::bigint, 1, 1, :send_ms::bigint + {lifetime}, {app}, 0);
";

/// Send to ten recipients: locks all mailboxes in order, changes them at once, and reads them
/// back in the statement that writes the entries.
const MANY: &str = "\
SELECT count(*) FROM (
    SELECT FROM mailbox WHERE app_no = {app} AND profile_id = ANY (ARRAY[{all}])
    ORDER BY profile_id FOR UPDATE
) AS locked;
UPDATE mailbox SET seq = seq + 1, clock_ms = greatest(clock_ms, :send_ms::bigint),
    sent_total = sent_total + (profile_id = 'u' || :s)::int,
    kept_bytes = kept_bytes + (profile_id = 'u' || :s)::int * :size::int,
    inbox_total = inbox_total + (profile_id <> 'u' || :s)::int,
    inbox_unread = inbox_unread + (profile_id <> 'u' || :s)::int,
    next_expiry_ms = least(next_expiry_ms, :send_ms::bigint + {lifetime})
WHERE app_no = {app} AND profile_id = ANY (ARRAY[{all}]);
INSERT INTO msgbox (mailbox_id, message_id, seq, create_seq, create_ms, update_ms, version,
    content_version, expire_ms, app_no, box)
SELECT mailbox_id, :message_id::uuid, seq, seq, clock_ms, clock_ms, 1, 1,
    :send_ms::bigint + {lifetime}, {app}, (profile_id = 'u' || :s)::int
FROM mailbox WHERE app_no = {app} AND profile_id = ANY (ARRAY[{all}]);
";

const PAGE: &str = "\
\\set s random(0, :profiles - 1)
SELECT b.seq, b.inbox_total, b.inbox_unread, b.sent_total,
    e.box, e.seq, e.create_seq, e.create_ms, e.update_ms, e.version, e.content_version,
    e.read_ms, e.delivered_ms, e.expire_ms,
    m.message_id, m.kind, m.sender_profile_id, m.sender_name, m.sender_pic, m.recipients,
    m.notification, m.version, m.modified, m.send_ms, m.update_ms, m.expire_ms,
    m.content_kind, m.digest, m.content
FROM mailbox b
LEFT JOIN LATERAL (
    SELECT * FROM msgbox WHERE app_no = {app} AND mailbox_id = b.mailbox_id AND box = 0
    ORDER BY message_id DESC LIMIT 20
) e ON true
LEFT JOIN message m ON m.app_no = {app} AND m.message_id = e.message_id
WHERE b.app_no = {app} AND b.profile_id = 'u' || :s
ORDER BY e.message_id DESC;
";

/// A script of pgbench.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Script {
    /// A message to one user.
    Send,
    /// A message to ten users.
    SendToTen,
    /// A message between always the same two users.
    SendHot,
    /// The first page of an inbox.
    Page,
}

impl Script {
    /// Script for pgbench, for an app.
    pub fn text(self, app_no: i32) -> String {
        let text = match self {
            Self::Send => send_to_one(BETWEEN_ALL),
            Self::SendHot => send_to_one(BETWEEN_TWO),
            Self::SendToTen => send_to_ten(),
            Self::Page => PAGE.to_owned(),
        };
        text.replace("{app}", &app_no.to_string())
            .replace("{lifetime}", &LIFETIME_MS.to_string())
    }
}

fn send_to_one(choice: &str) -> String {
    let message = MESSAGE.replace("{recipients}", r"E'\nu' || :r || E'\n'");
    let mailboxes = MAILBOXES
        .replace("{sender}", SENDER)
        .replace("{recipient}", RECIPIENT);
    format!("{choice}BEGIN;\n{message}{mailboxes}{ENTRIES}END;\n")
}

fn send_to_ten() -> String {
    let mut choice =
        format!("\\set s random(0, :profiles - 1)\n\\set first random(1, :profiles - {TEN})\n");
    let (mut recipients, mut all) = (String::new(), "'u' || :s".to_owned());
    for number in 0..TEN {
        // Writing to a text cannot fail.
        let _ = writeln!(
            choice,
            "\\set r{number} (:s + :first + {number}) % :profiles"
        );
        let _ = write!(recipients, r"E'\nu' || :r{number} || ");
        let _ = write!(all, ", 'u' || :r{number}");
    }
    let message = MESSAGE.replace("{recipients}", &format!(r"{recipients}E'\n'"));
    let many = MANY.replace("{all}", &all);
    format!("{choice}BEGIN;\n{message}{many}END;\n")
}

/// Columns that the service stores for a message. The scripts store the same.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    pub app_no: i32,
    size: i32,
    kind: i32,
    content_kind: i32,
    digest: String,
    content: String,
}

impl StoredMessage {
    /// Looks at any message.
    ///
    /// # Errors
    /// If there is none.
    pub async fn read(connection: &mut PgConnection) -> sqlx::Result<Self> {
        let text = "SELECT app_no, size_bytes, kind::int, content_kind::int, \
                    digest::text, content::text FROM message LIMIT 1";
        let row = sqlx::query_as(text).fetch_one(connection).await?;
        let (app_no, size, kind, content_kind, digest, content) = row;
        Ok(Self {
            app_no,
            size,
            kind,
            content_kind,
            digest,
            content,
        })
    }

    /// The variables of the scripts.
    pub fn variables(&self) -> [String; 5] {
        [
            format!("size={}", self.size),
            format!("kind={}", self.kind),
            format!("content_kind={}", self.content_kind),
            format!("digest={}", self.digest),
            format!("content={}", self.content),
        ]
    }
}
