-- Profiles that are being erased, and those that were: each is a job.

CREATE TABLE erasure (
    profile_key BLOB NOT NULL,
    -- The last row that the phase has dealt with.
    after_id BLOB,
    request_ms INTEGER NOT NULL,
    step_ms INTEGER NOT NULL,
    -- When the next step is due. The row goes with the last one.
    next_ms INTEGER NOT NULL,
    done_ms INTEGER,
    app_no INTEGER NOT NULL,
    phase INTEGER NOT NULL CONSTRAINT erasure_phase CHECK (phase BETWEEN 0 AND 8),
    -- Null once it is erased: then the key is all that is left of it.
    profile_id TEXT,
    CONSTRAINT erasure_pk PRIMARY KEY (app_no, profile_key)
) STRICT;
CREATE INDEX erasure_by_next ON erasure (next_ms);

-- When an app is to be erased, and when the job that does so took its last step.
ALTER TABLE app ADD COLUMN erase_ms INTEGER;
ALTER TABLE app ADD COLUMN erase_step_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX app_by_erasure ON app (erase_ms) WHERE erase_ms IS NOT NULL;
