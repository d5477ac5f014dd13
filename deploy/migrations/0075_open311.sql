-- What Open311 reads (hotline/web/open311): which complaints the public may learn of, and what a sender put on record.
-- migrate:up
-- Confidential, a report, or of retaliation: the public learns nothing of it. NULL: nobody knows yet, so it does not either.
ALTER TABLE read.complaint ADD COLUMN withheld boolean;

-- The requests of a sender over Open311, by the login in their own numbers (hotline/web/open311/recording.py).
CREATE INDEX wording_open311 ON read.wording (split_part(request_id, ':', 2), received_at, stream_id)
    WHERE request_id LIKE 'open311:%';

-- migrate:down
