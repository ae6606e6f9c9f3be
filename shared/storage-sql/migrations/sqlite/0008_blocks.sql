-- Blocks: profiles with which the owner of a mailbox exchanges no messages.

-- Number of blocks of the mailbox: where it is 0, none is looked up.
ALTER TABLE mailbox ADD COLUMN blocks INTEGER NOT NULL DEFAULT 0;

CREATE TABLE block (
    mailbox_id INTEGER NOT NULL,
    create_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    profile_id TEXT NOT NULL,
    CONSTRAINT block_pk PRIMARY KEY (app_no, mailbox_id, profile_id)
) STRICT, WITHOUT ROWID;
