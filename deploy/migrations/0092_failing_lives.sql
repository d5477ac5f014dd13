-- The newest of the lives in which something went wrong are found without going through all (decision 0073).
-- migrate:up
CREATE INDEX traced_since ON read.traced (since, stream_id);

-- migrate:down
