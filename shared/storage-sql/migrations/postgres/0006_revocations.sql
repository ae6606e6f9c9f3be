-- Revocations of tokens: those of a profile that were issued before a time are refused.

-- The number of the last revocation, with which replicas see whether theirs are current.
ALTER TABLE app ADD COLUMN last_revocation bigint NOT NULL DEFAULT 0;

CREATE TABLE revocation (
    before_ms bigint NOT NULL,
    app_no int NOT NULL,
    profile_id text COLLATE "C" NOT NULL,
    CONSTRAINT revocation_pk PRIMARY KEY (app_no, profile_id)
);
CREATE INDEX revocation_by_time ON revocation (before_ms);
