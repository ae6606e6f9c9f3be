-- The key of the audit log can be replaced: the id of the one that has sealed the head of a chain.
ALTER TABLE audit_head ADD COLUMN key_id INTEGER NOT NULL DEFAULT 0;
CREATE INDEX audit_head_by_key ON audit_head (key_id, app_no);
