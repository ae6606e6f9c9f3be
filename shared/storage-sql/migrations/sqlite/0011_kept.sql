-- What is kept of a user.

-- Bytes of the contents that the owner of the mailbox has sent and that are kept.
ALTER TABLE mailbox ADD COLUMN kept_bytes INTEGER NOT NULL DEFAULT 0;

-- The mailbox of the user whose message this one was created for, until it is known.
ALTER TABLE mailbox ADD COLUMN caused_by INTEGER;
CREATE INDEX mailbox_by_cause ON mailbox (app_no + 0, caused_by) WHERE caused_by IS NOT NULL;
