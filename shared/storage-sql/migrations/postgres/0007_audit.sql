-- The audit log: calls of the apps' own servers. A record is sealed when it is written; then the
-- sequencer numbers it and chains it to the one before. The ids that it touched stand beside it:
-- the record has a commitment to them, and they can be erased.

CREATE TABLE audit (
    record_id uuid NOT NULL,
    call_id uuid NOT NULL,
    -- Drawn after all locks of the transaction: the order in which records are numbered.
    pos bigint GENERATED ALWAYS AS IDENTITY,
    -- 0: not numbered yet.
    audit_no bigint NOT NULL DEFAULT 0,
    time_ms bigint NOT NULL,
    affected bigint NOT NULL,
    id_count bigint NOT NULL,
    app_no int NOT NULL,
    kind smallint NOT NULL CONSTRAINT audit_kind CHECK (kind IN (1, 2)),
    method text COLLATE "C" NOT NULL,
    issuer text COLLATE "C" NOT NULL,
    key_id text COLLATE "C",
    request_hash bytea NOT NULL,
    ids_root bytea NOT NULL,
    seal bytea NOT NULL,
    mac bytea,
    CONSTRAINT audit_pk PRIMARY KEY (app_no, record_id)
);
CREATE INDEX audit_by_pos ON audit (app_no, pos) WHERE audit_no = 0;
CREATE UNIQUE INDEX audit_by_no ON audit (app_no, audit_no) WHERE audit_no > 0;
CREATE INDEX audit_by_time ON audit (app_no, time_ms, audit_no) WHERE audit_no > 0;

CREATE TABLE audit_id (
    record_id uuid NOT NULL,
    app_no int NOT NULL,
    ids bytea NOT NULL,
    CONSTRAINT audit_id_pk PRIMARY KEY (app_no, record_id)
);

-- The ends of the chain of each app, which is a job of the sequencer.
CREATE TABLE audit_head (
    last_no bigint NOT NULL,
    anchor_no bigint NOT NULL,
    -- The time of the first record that is kept.
    oldest_ms bigint,
    -- The last number that was logged, and when.
    told_no bigint NOT NULL,
    told_ms bigint NOT NULL,
    step_ms bigint NOT NULL,
    app_no int NOT NULL,
    last_mac bytea NOT NULL,
    anchor_mac bytea NOT NULL,
    seal bytea NOT NULL,
    CONSTRAINT audit_head_pk PRIMARY KEY (app_no)
) WITH (fillfactor = 50);
CREATE INDEX audit_head_by_oldest ON audit_head (oldest_ms);
CREATE INDEX audit_head_by_told ON audit_head (told_ms) WHERE told_no < last_no;
