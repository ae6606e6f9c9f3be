-- Conversations: sets of participants with metadata.

-- Number of conversations of which the owner of the mailbox is a participant.
ALTER TABLE mailbox ADD COLUMN conversations bigint NOT NULL DEFAULT 0;

CREATE TABLE conversation (
    conversation_id uuid NOT NULL,
    version bigint NOT NULL,
    create_ms bigint NOT NULL,
    update_ms bigint NOT NULL,
    app_no int NOT NULL,
    -- Null once the creator is in it no more.
    creator_profile_id text COLLATE "C",
    participants text COLLATE "C" NOT NULL,
    metadata text NOT NULL,
    create_fingerprint bytea NOT NULL,
    -- Hash of the participants; null: it is not distinct.
    distinct_key bytea,
    CONSTRAINT conversation_pk PRIMARY KEY (app_no, conversation_id)
);
CREATE UNIQUE INDEX conversation_by_participants ON conversation (app_no, distinct_key)
    WHERE distinct_key IS NOT NULL;

-- Participants again, each by its mailbox.
CREATE TABLE participant (
    mailbox_id bigint NOT NULL,
    conversation_id uuid NOT NULL,
    create_ms bigint NOT NULL,
    app_no int NOT NULL,
    CONSTRAINT participant_pk PRIMARY KEY (app_no, mailbox_id, conversation_id)
);
