-- Times are milliseconds since the epoch, UTC. Ids are blobs of 16 bytes.

CREATE TABLE server (
    server_no INTEGER NOT NULL CONSTRAINT server_is_one CHECK (server_no = 1),
    epoch BLOB NOT NULL,
    -- The time up to which things were due, stored every minute.
    clock_ms INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT server_pk PRIMARY KEY (server_no)
) STRICT;
INSERT INTO server (server_no, epoch) VALUES (1, randomblob(16));

CREATE TABLE app (
    app_no INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id TEXT NOT NULL,
    settings TEXT,
    create_ms INTEGER NOT NULL,
    CONSTRAINT app_by_id UNIQUE (app_id)
) STRICT;

-- AUTOINCREMENT: a number is never used again.
CREATE TABLE mailbox (
    mailbox_id INTEGER PRIMARY KEY AUTOINCREMENT,
    seq INTEGER NOT NULL DEFAULT 0,
    floor_seq INTEGER NOT NULL DEFAULT 0,
    clock_ms INTEGER NOT NULL DEFAULT 0,
    inbox_total INTEGER NOT NULL DEFAULT 0,
    inbox_unread INTEGER NOT NULL DEFAULT 0,
    sent_total INTEGER NOT NULL DEFAULT 0,
    next_expiry_ms INTEGER,
    create_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    profile_id TEXT NOT NULL,
    CONSTRAINT mailbox_counts CHECK (inbox_unread >= 0 AND inbox_total >= inbox_unread AND sent_total >= 0)
) STRICT;
-- An expression as in PostgreSQL.
CREATE UNIQUE INDEX mailbox_by_profile ON mailbox (app_no + 0, profile_id);
CREATE INDEX mailbox_by_expiry ON mailbox (next_expiry_ms) WHERE next_expiry_ms IS NOT NULL;

CREATE TABLE message (
    message_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    send_ms INTEGER NOT NULL,
    update_ms INTEGER NOT NULL,
    expire_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    content_kind INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    sender_profile_id TEXT,
    sender_name TEXT NOT NULL,
    sender_pic TEXT NOT NULL,
    recipients TEXT NOT NULL,
    notification BLOB,
    digest BLOB NOT NULL,
    content BLOB NOT NULL,
    CONSTRAINT message_pk PRIMARY KEY (app_no, message_id)
) STRICT;
CREATE INDEX message_by_expiry ON message (expire_ms);
-- Messages that never changed are in the order of their ids already.
CREATE INDEX message_by_update ON message (app_no, update_ms, message_id) WHERE version > 1;

CREATE TABLE msgbox (
    mailbox_id INTEGER NOT NULL,
    message_id BLOB NOT NULL,
    seq INTEGER NOT NULL CONSTRAINT msgbox_seq CHECK (seq > 0),
    create_seq INTEGER NOT NULL,
    create_ms INTEGER NOT NULL,
    update_ms INTEGER NOT NULL,
    version INTEGER NOT NULL,
    content_version INTEGER NOT NULL,
    read_ms INTEGER,
    delivered_ms INTEGER,
    expire_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    box INTEGER NOT NULL CONSTRAINT msgbox_box CHECK (box IN (0, 1)),
    CONSTRAINT msgbox_pk PRIMARY KEY (app_no, mailbox_id, box, message_id)
) STRICT, WITHOUT ROWID;
-- Partial as in PostgreSQL. Statements say seq > 0 after their own bound: the first one is sought.
CREATE UNIQUE INDEX msgbox_by_seq ON msgbox (app_no, mailbox_id, seq) WHERE seq > 0;

CREATE TABLE msgbox_deleted (
    mailbox_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    message_id BLOB NOT NULL,
    delete_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    box INTEGER NOT NULL CONSTRAINT msgbox_deleted_box CHECK (box IN (0, 1)),
    CONSTRAINT msgbox_deleted_pk PRIMARY KEY (app_no, mailbox_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE request (
    expire_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    request_key BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    result TEXT,
    CONSTRAINT request_pk PRIMARY KEY (app_no, request_key)
) STRICT, WITHOUT ROWID;
