-- Revocations of tokens: those of a profile that were issued before a time are refused.

-- The number of the last revocation, with which replicas see whether theirs are current.
ALTER TABLE app ADD COLUMN last_revocation INTEGER NOT NULL DEFAULT 0;

CREATE TABLE revocation (
    before_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    profile_id TEXT NOT NULL,
    CONSTRAINT revocation_pk PRIMARY KEY (app_no, profile_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX revocation_by_time ON revocation (before_ms);
