-- The log: every state change of every complaint, once, in order per complaint.
-- migrate:up
CREATE SCHEMA es;

-- CACHE 1 on purpose: with a larger cache two connections hand out positions out of order and the
-- versions of one complaint no longer ascend with their positions.
CREATE SEQUENCE es.position_seq CACHE 1;

CREATE TABLE es.event (
    xid            xid8        NOT NULL DEFAULT pg_current_xact_id(),
    position       bigint      NOT NULL DEFAULT nextval('es.position_seq') PRIMARY KEY,
    stream_id      uuid        NOT NULL,
    version        int         NOT NULL CHECK (version > 0),
    event_id       uuid        NOT NULL,
    type           text        NOT NULL,
    schema_version smallint    NOT NULL,
    occurred_at    timestamptz NOT NULL, -- city time: the fact's own
    recorded_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    caused_by      text        NOT NULL, -- the message or fact that led to it
    actor          text        NOT NULL, -- the desk that stated it
    body           bytea       NOT NULL, -- canonical bytes; the hash covers these very bytes
    hash           bytea       NOT NULL CHECK (octet_length(hash) = 32),
    UNIQUE (stream_id, version)
);
-- Third and last index: the relay reads by it, two more would halve the append.
CREATE INDEX event_xid_position ON es.event (xid, position);

CREATE FUNCTION es.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'HL003';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es.event
    FOR EACH STATEMENT EXECUTE FUNCTION es.refuse();

-- The head of each complaint: what its facts add up to. Rebuildable from es.event to the same text.
CREATE TABLE es.stream (
    stream_id    uuid     PRIMARY KEY,
    version      int      NOT NULL,
    head_hash    bytea    NOT NULL,
    state_schema smallint NOT NULL,
    state        text     NOT NULL
) WITH (fillfactor = 70);

-- migrate:down
