-- Times are milliseconds since the epoch, UTC. Text keys compare bytewise. A look-up by key can
-- use one index only: no two indexes of a table begin alike, unless one is partial or begins with
-- app_no + 0, which a look-up must say. No foreign keys on message, msgbox and mailbox: one hot message would be locked by all who receive it.

CREATE TABLE server (
    server_no int NOT NULL CONSTRAINT server_is_one CHECK (server_no = 1),
    epoch uuid NOT NULL,
    -- The time up to which things were due, stored every minute.
    clock_ms bigint NOT NULL DEFAULT 0,
    CONSTRAINT server_pk PRIMARY KEY (server_no)
);
INSERT INTO server (server_no, epoch) VALUES (1, gen_random_uuid());

CREATE TABLE app (
    app_no int GENERATED ALWAYS AS IDENTITY,
    app_id text COLLATE "C" NOT NULL,
    settings text,
    create_ms bigint NOT NULL,
    CONSTRAINT app_pk PRIMARY KEY (app_no),
    CONSTRAINT app_by_id UNIQUE (app_id)
);

CREATE TABLE mailbox (
    mailbox_id bigint GENERATED ALWAYS AS IDENTITY,
    seq bigint NOT NULL DEFAULT 0,
    floor_seq bigint NOT NULL DEFAULT 0,
    clock_ms bigint NOT NULL DEFAULT 0,
    inbox_total bigint NOT NULL DEFAULT 0,
    inbox_unread bigint NOT NULL DEFAULT 0,
    sent_total bigint NOT NULL DEFAULT 0,
    next_expiry_ms bigint,
    create_ms bigint NOT NULL,
    app_no int NOT NULL,
    profile_id text COLLATE "C" NOT NULL,
    CONSTRAINT mailbox_pk PRIMARY KEY (app_no, mailbox_id),
    CONSTRAINT mailbox_counts CHECK (inbox_unread >= 0 AND inbox_total >= inbox_unread AND sent_total >= 0)
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX mailbox_by_profile ON mailbox ((app_no + 0), profile_id);
CREATE INDEX mailbox_by_expiry ON mailbox (next_expiry_ms) WHERE next_expiry_ms IS NOT NULL;

CREATE TABLE message (
    message_id uuid NOT NULL,
    version bigint NOT NULL,
    send_ms bigint NOT NULL,
    update_ms bigint NOT NULL,
    expire_ms bigint NOT NULL,
    app_no int NOT NULL,
    size_bytes int NOT NULL,
    kind smallint NOT NULL,
    content_kind smallint NOT NULL,
    modified smallint NOT NULL,
    sender_profile_id text COLLATE "C",
    sender_name text NOT NULL,
    sender_pic text NOT NULL,
    recipients text COLLATE "C" NOT NULL,
    notification bytea,
    digest bytea NOT NULL,
    content bytea NOT NULL,
    CONSTRAINT message_pk PRIMARY KEY (app_no, message_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX message_by_expiry ON message (expire_ms);
-- Messages that never changed are in the order of their ids already.
CREATE INDEX message_by_update ON message (app_no, update_ms, message_id) WHERE version > 1;

CREATE TABLE msgbox (
    mailbox_id bigint NOT NULL,
    message_id uuid NOT NULL,
    seq bigint NOT NULL CONSTRAINT msgbox_seq CHECK (seq > 0),
    create_seq bigint NOT NULL,
    create_ms bigint NOT NULL,
    update_ms bigint NOT NULL,
    version bigint NOT NULL,
    content_version bigint NOT NULL,
    read_ms bigint,
    delivered_ms bigint,
    expire_ms bigint NOT NULL,
    app_no int NOT NULL,
    box smallint NOT NULL CONSTRAINT msgbox_box CHECK (box IN (0, 1)),
    CONSTRAINT msgbox_pk PRIMARY KEY (app_no, mailbox_id, box, message_id)
) WITH (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02);
-- Partial, though it has all rows: only a statement that says seq > 0 can use it. Otherwise the
-- planner may look entries up by it, and go through the whole mailbox for each.
CREATE UNIQUE INDEX msgbox_by_seq ON msgbox (app_no, mailbox_id, seq) WHERE seq > 0;

CREATE TABLE msgbox_deleted (
    mailbox_id bigint NOT NULL,
    seq bigint NOT NULL,
    message_id uuid NOT NULL,
    delete_ms bigint NOT NULL,
    app_no int NOT NULL,
    box smallint NOT NULL CONSTRAINT msgbox_deleted_box CHECK (box IN (0, 1)),
    CONSTRAINT msgbox_deleted_pk PRIMARY KEY (app_no, mailbox_id, seq)
);

CREATE TABLE request (
    expire_ms bigint NOT NULL,
    app_no int NOT NULL,
    request_key bytea NOT NULL,
    fingerprint bytea NOT NULL,
    result text,
    CONSTRAINT request_pk PRIMARY KEY (app_no, request_key)
);
