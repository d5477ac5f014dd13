-- Lives that are stated to the trace viewer though they are not sampled: something went wrong in them.
-- migrate:up
CREATE TABLE read.traced (
    stream_id uuid        PRIMARY KEY,
    why       text        NOT NULL, -- hotline.tracing.followed.Why
    since     timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT, INSERT, DELETE ON read.traced TO hotline_projector;
GRANT SELECT ON read.traced TO hotline_reader, hotline_web;
-- Which complaint a parked message was about, and when; nothing of what it said.
GRANT SELECT (xid, complaint_id, parked_at) ON es.parking_notice TO hotline_projector;

-- migrate:down
