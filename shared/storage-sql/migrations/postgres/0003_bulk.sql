-- Messages to everyone: one row each, and one for each change of them, that every mailbox
-- takes when it is next accessed. A mailbox has taken them up to its bulk_cursor; those up to
-- its bulk_joined were sent before it began.

ALTER TABLE app ADD COLUMN bulk_head bigint NOT NULL DEFAULT 0;

ALTER TABLE mailbox ADD COLUMN bulk_cursor bigint NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN bulk_joined bigint NOT NULL DEFAULT 0;

-- When the app deleted a bulk message, whose row stays until it expires; null: it is there.
ALTER TABLE message ADD COLUMN recall_ms bigint;

CREATE TABLE bulk (
    bulk_no bigint NOT NULL,
    message_id uuid NOT NULL,
    expire_ms bigint NOT NULL,
    app_no int NOT NULL,
    what smallint NOT NULL CONSTRAINT bulk_what CHECK (what IN (0, 1, 2)),
    audience smallint NOT NULL CONSTRAINT bulk_audience CHECK (audience IN (0, 1)),
    CONSTRAINT bulk_pk PRIMARY KEY (app_no, bulk_no)
);
CREATE INDEX bulk_by_message ON bulk ((app_no + 0), message_id);
CREATE INDEX bulk_by_expiry ON bulk (expire_ms);

-- Sixteen rows a message, so that those who count seldom wait for one another. Their sums
-- count; one row may be below zero.
CREATE TABLE bulk_tally (
    message_id uuid NOT NULL,
    settled bigint NOT NULL,
    read bigint NOT NULL,
    deleted bigint NOT NULL,
    app_no int NOT NULL,
    slot smallint NOT NULL CONSTRAINT bulk_tally_slot CHECK (slot BETWEEN 0 AND 15),
    CONSTRAINT bulk_tally_pk PRIMARY KEY (app_no, message_id, slot)
) WITH (fillfactor = 50);

-- Rows come in the order of their expiry, and so a summary of each range of pages is enough.
CREATE INDEX request_by_expiry ON request USING brin (expire_ms) WITH (autosummarize = on);

-- Who does what only one replica needs to do.
CREATE TABLE lease (
    lease_no int NOT NULL,
    holder uuid NOT NULL,
    until_ms bigint NOT NULL,
    CONSTRAINT lease_pk PRIMARY KEY (lease_no)
);
