-- Messages to everyone: one row each, and one for each change of them, that every mailbox
-- takes when it is next accessed. A mailbox has taken them up to its bulk_cursor; those up to
-- its bulk_joined were sent before it began.

ALTER TABLE app ADD COLUMN bulk_head INTEGER NOT NULL DEFAULT 0;

ALTER TABLE mailbox ADD COLUMN bulk_cursor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN bulk_joined INTEGER NOT NULL DEFAULT 0;

-- When the app deleted a bulk message, whose row stays until it expires; null: it is there.
ALTER TABLE message ADD COLUMN recall_ms INTEGER;

CREATE TABLE bulk (
    bulk_no INTEGER NOT NULL,
    message_id BLOB NOT NULL,
    expire_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    what INTEGER NOT NULL CONSTRAINT bulk_what CHECK (what IN (0, 1, 2)),
    audience INTEGER NOT NULL CONSTRAINT bulk_audience CHECK (audience IN (0, 1)),
    CONSTRAINT bulk_pk PRIMARY KEY (app_no, bulk_no)
) STRICT, WITHOUT ROWID;
CREATE INDEX bulk_by_message ON bulk (app_no + 0, message_id);
CREATE INDEX bulk_by_expiry ON bulk (expire_ms);

-- Sixteen rows a message, so that those who count seldom wait for one another. Their sums
-- count; one row may be below zero.
CREATE TABLE bulk_tally (
    message_id BLOB NOT NULL,
    settled INTEGER NOT NULL,
    read INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    slot INTEGER NOT NULL CONSTRAINT bulk_tally_slot CHECK (slot BETWEEN 0 AND 15),
    CONSTRAINT bulk_tally_pk PRIMARY KEY (app_no, message_id, slot)
) STRICT, WITHOUT ROWID;

CREATE INDEX request_by_expiry ON request (expire_ms);

-- Who does what only one replica needs to do.
CREATE TABLE lease (
    lease_no INTEGER NOT NULL,
    holder BLOB NOT NULL,
    until_ms INTEGER NOT NULL,
    CONSTRAINT lease_pk PRIMARY KEY (lease_no)
) STRICT, WITHOUT ROWID;
