-- What one user may do to another.

-- The mailbox of the sender, if the inbox had many unread entries when it came; null: not noted.
ALTER TABLE msgbox ADD COLUMN sender_id bigint;
CREATE INDEX msgbox_by_sender ON msgbox ((app_no + 0), mailbox_id, sender_id)
    WHERE sender_id IS NOT NULL AND read_ms IS NULL;
