-- Profiles that the service has seen.

-- 1 once the owner of the mailbox has called, or the app has named it. Others go with their last
-- entry.
ALTER TABLE mailbox ADD COLUMN known INTEGER NOT NULL DEFAULT 0
    CONSTRAINT mailbox_known CHECK (known IN (0, 1));
