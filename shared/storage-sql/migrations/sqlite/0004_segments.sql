-- Messages to segments: what delivers them, and the recipients, in chunks that never change.

-- What delivers a message that goes to a segment, and to how many; null: it lists them.
ALTER TABLE message ADD COLUMN job_id BLOB;
ALTER TABLE message ADD COLUMN recipient_count INTEGER;

-- No message yet: the recipients are being stored.
CREATE TABLE send_job (
    job_id BLOB NOT NULL,
    message_id BLOB,
    run_no INTEGER NOT NULL DEFAULT 0,
    next_chunk INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    full_inboxes INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    change_chunk INTEGER,
    change_chunks INTEGER,
    change_left INTEGER,
    step_ms INTEGER NOT NULL DEFAULT 0,
    expire_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    state INTEGER NOT NULL DEFAULT 0 CONSTRAINT send_job_state CHECK (state IN (0, 1, 2, 3)),
    change_waits INTEGER,
    change_turn INTEGER CONSTRAINT send_job_change CHECK (change_turn IN (1, 2)),
    is_due INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT send_job_pk PRIMARY KEY (app_no, job_id),
    CONSTRAINT send_job_counts CHECK (accepted >= delivered + full_inboxes + failed)
) STRICT, WITHOUT ROWID;
CREATE INDEX send_job_by_due ON send_job (app_no, job_id) WHERE is_due = 1;
CREATE INDEX send_job_by_expiry ON send_job (expire_ms);

-- Sorted runs of recipients as they come in, and at last the one run that all are merged into.
CREATE TABLE send_chunk (
    job_id BLOB NOT NULL,
    run_no INTEGER NOT NULL,
    chunk_no INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    recipients TEXT NOT NULL,
    CONSTRAINT send_chunk_pk PRIMARY KEY (app_no, job_id, run_no, chunk_no)
) STRICT;

-- By which all mailboxes are gone through; PostgreSQL has it as the primary key.
CREATE UNIQUE INDEX mailbox_by_id ON mailbox (app_no, mailbox_id);
