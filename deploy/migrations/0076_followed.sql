-- The requests that a sender follows over Open311, by when they changed last: an update is looked for among these alone.
-- migrate:up
CREATE TABLE read.followed (
    stream_id  uuid        PRIMARY KEY,
    login      text        NOT NULL, -- that sent it, by the request's own number; empty: the plain topic's
    changed_at timestamptz NOT NULL  -- when its last fact was recorded
);
CREATE INDEX followed_changed ON read.followed (login, changed_at, stream_id);
DROP INDEX read.wording_open311;

GRANT SELECT ON read.followed TO hotline_reader, hotline_web;
GRANT SELECT, INSERT, UPDATE, DELETE ON read.followed TO hotline_projector;
GRANT INSERT, UPDATE, DELETE ON read.followed TO hotline_operator;

-- migrate:down
