-- What was deleted is gone: a message goes once all of its holders have deleted it.

-- In which order the tombstones are searched for such messages.
CREATE INDEX msgbox_deleted_by_time ON msgbox_deleted (delete_ms, app_no, mailbox_id, seq);

-- The time up to which they were searched.
ALTER TABLE lease ADD COLUMN orphans_ms INTEGER NOT NULL DEFAULT 0;
