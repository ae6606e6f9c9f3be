-- Conversations: sets of participants with metadata.

-- Number of conversations of which the owner of the mailbox is a participant.
ALTER TABLE mailbox ADD COLUMN conversations INTEGER NOT NULL DEFAULT 0;

CREATE TABLE conversation (
    conversation_id BLOB NOT NULL,
    version INTEGER NOT NULL,
    create_ms INTEGER NOT NULL,
    update_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    -- Null once the creator is in it no more.
    creator_profile_id TEXT,
    participants TEXT NOT NULL,
    metadata TEXT NOT NULL,
    create_fingerprint BLOB NOT NULL,
    -- Hash of the participants; null: it is not distinct.
    distinct_key BLOB,
    CONSTRAINT conversation_pk PRIMARY KEY (app_no, conversation_id)
) STRICT;
CREATE UNIQUE INDEX conversation_by_participants ON conversation (app_no, distinct_key)
    WHERE distinct_key IS NOT NULL;

-- Participants again, each by its mailbox.
CREATE TABLE participant (
    mailbox_id INTEGER NOT NULL,
    conversation_id BLOB NOT NULL,
    create_ms INTEGER NOT NULL,
    app_no INTEGER NOT NULL,
    CONSTRAINT participant_pk PRIMARY KEY (app_no, mailbox_id, conversation_id)
) STRICT, WITHOUT ROWID;
