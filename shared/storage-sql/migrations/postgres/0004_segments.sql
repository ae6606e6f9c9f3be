-- Messages to segments: what delivers them, and the recipients, in chunks that never change.

-- What delivers a message that goes to a segment, and to how many; null: it lists them.
ALTER TABLE message ADD COLUMN job_id uuid;
ALTER TABLE message ADD COLUMN recipient_count bigint;

-- No message yet: the recipients are being stored.
CREATE TABLE send_job (
    job_id uuid NOT NULL,
    message_id uuid,
    run_no bigint NOT NULL DEFAULT 0,
    next_chunk bigint NOT NULL DEFAULT 0,
    accepted bigint NOT NULL DEFAULT 0,
    duplicates bigint NOT NULL DEFAULT 0,
    delivered bigint NOT NULL DEFAULT 0,
    full_inboxes bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    change_chunk bigint,
    change_chunks bigint,
    change_left bigint,
    step_ms bigint NOT NULL DEFAULT 0,
    expire_ms bigint NOT NULL,
    app_no int NOT NULL,
    state smallint NOT NULL DEFAULT 0 CONSTRAINT send_job_state CHECK (state IN (0, 1, 2, 3)),
    change_waits smallint,
    change_turn smallint CONSTRAINT send_job_change CHECK (change_turn IN (1, 2)),
    is_due smallint NOT NULL DEFAULT 0,
    CONSTRAINT send_job_pk PRIMARY KEY (app_no, job_id),
    CONSTRAINT send_job_counts CHECK (accepted >= delivered + full_inboxes + failed)
) WITH (fillfactor = 50);
CREATE INDEX send_job_by_due ON send_job (app_no, job_id) WHERE is_due = 1;
CREATE INDEX send_job_by_expiry ON send_job (expire_ms);

-- Sorted runs of recipients as they come in, and at last the one run that all are merged into.
CREATE TABLE send_chunk (
    job_id uuid NOT NULL,
    run_no bigint NOT NULL,
    chunk_no bigint NOT NULL,
    app_no int NOT NULL,
    recipients text COLLATE "C" NOT NULL,
    CONSTRAINT send_chunk_pk PRIMARY KEY (app_no, job_id, run_no, chunk_no)
);
