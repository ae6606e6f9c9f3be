-- What is kept of an app that has a quota for it.

-- Sixteen rows an app, so that batches seldom wait for one another. Their sums count; one row may be
-- below zero.
CREATE TABLE app_usage (
    bytes bigint NOT NULL,
    mailboxes bigint NOT NULL,
    app_no int NOT NULL,
    slot smallint NOT NULL CONSTRAINT app_usage_slot CHECK (slot BETWEEN 0 AND 15),
    CONSTRAINT app_usage_pk PRIMARY KEY (app_no, slot)
);

-- 0: batches do not count the usage of the app; 1: they do, but what was there before is not counted
-- yet; 2: the usage is known.
ALTER TABLE app ADD COLUMN usage_state smallint NOT NULL DEFAULT 0
    CONSTRAINT app_usage_state CHECK (usage_state BETWEEN 0 AND 2);
-- When batches began to count.
ALTER TABLE app ADD COLUMN usage_ms bigint NOT NULL DEFAULT 0;
CREATE INDEX app_by_usage ON app (usage_ms) WHERE usage_state = 1;
