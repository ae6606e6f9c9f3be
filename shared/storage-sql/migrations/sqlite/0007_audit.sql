-- The audit log: calls of the apps' own servers. A record is sealed when it is written; then the
-- sequencer numbers it and chains it to the one before. The ids that it touched stand beside it:
-- the record has a commitment to them, and they can be erased.

CREATE TABLE audit (
    -- The order in which records are numbered. AUTOINCREMENT: a number is never used again.
    pos INTEGER PRIMARY KEY AUTOINCREMENT,
    record_id BLOB NOT NULL,
    call_id BLOB NOT NULL,
    -- 0: not numbered yet.
    audit_no INTEGER NOT NULL DEFAULT 0,
    time_ms INTEGER NOT NULL,
    affected INTEGER NOT NULL,
    id_count INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    kind INTEGER NOT NULL CONSTRAINT audit_kind CHECK (kind IN (1, 2)),
    method TEXT NOT NULL,
    issuer TEXT NOT NULL,
    key_id TEXT,
    request_hash BLOB NOT NULL,
    ids_root BLOB NOT NULL,
    seal BLOB NOT NULL,
    mac BLOB
) STRICT;
CREATE UNIQUE INDEX audit_by_record ON audit (app_no, record_id);
CREATE INDEX audit_by_pos ON audit (app_no, pos) WHERE audit_no = 0;
CREATE UNIQUE INDEX audit_by_no ON audit (app_no, audit_no) WHERE audit_no > 0;
CREATE INDEX audit_by_time ON audit (app_no, time_ms, audit_no) WHERE audit_no > 0;

CREATE TABLE audit_id (
    record_id BLOB NOT NULL,
    app_no INTEGER NOT NULL,
    ids BLOB NOT NULL,
    CONSTRAINT audit_id_pk PRIMARY KEY (app_no, record_id)
) STRICT;

-- The ends of the chain of each app, which is a job of the sequencer.
CREATE TABLE audit_head (
    last_no INTEGER NOT NULL,
    anchor_no INTEGER NOT NULL,
    -- The time of the first record that is kept.
    oldest_ms INTEGER,
    -- The last number that was logged, and when.
    told_no INTEGER NOT NULL,
    told_ms INTEGER NOT NULL,
    step_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    last_mac BLOB NOT NULL,
    anchor_mac BLOB NOT NULL,
    seal BLOB NOT NULL,
    CONSTRAINT audit_head_pk PRIMARY KEY (app_no)
) STRICT;
CREATE INDEX audit_head_by_oldest ON audit_head (oldest_ms);
CREATE INDEX audit_head_by_told ON audit_head (told_ms) WHERE told_no < last_no;
