-- Blocks: profiles with which the owner of a mailbox exchanges no messages.

-- Number of blocks of the mailbox: where it is 0, none is looked up.
ALTER TABLE mailbox ADD COLUMN blocks bigint NOT NULL DEFAULT 0;

CREATE TABLE block (
    mailbox_id bigint NOT NULL,
    create_ms bigint NOT NULL,
    app_no int NOT NULL,
    profile_id text COLLATE "C" NOT NULL,
    CONSTRAINT block_pk PRIMARY KEY (app_no, mailbox_id, profile_id)
);
