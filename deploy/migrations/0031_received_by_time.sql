-- What was received when: the log is sorted by position, and a letter of weeks ago may lie anywhere in it. Only one fact
-- in a life is in this index, so an append pays for it once a complaint.
-- migrate:up
CREATE INDEX event_received ON es.event (occurred_at) WHERE type = 'ComplaintReceived';
CREATE INDEX archived_received ON es.archived (occurred_at) WHERE type = 'ComplaintReceived';

-- migrate:down
