-- One row that PostgreSQL cannot read must not end a statement over all of them (shared/log/heads.py). A head is text;
-- `es.head` makes JSON of all of them at once and is as fast as ever, `es.head_read` tries each by itself.
-- migrate:up

-- NULL where this is no JSON that PostgreSQL takes: of a string with U+0000 in it, it reads no field of the whole.
CREATE FUNCTION es.json_of(p_text text) RETURNS json
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
DECLARE
    found json;
BEGIN
    found := p_text::json;
    PERFORM found ->> ''; -- goes through every string, as whoever asks for a field does
    RETURN found;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

CREATE FUNCTION es.text_of(p_bytes bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog AS $$
BEGIN
    RETURN convert_from(p_bytes, 'UTF8');
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

-- Why no view can read a head; NULL where all can. The casts are those of the statements over heads.
CREATE FUNCTION es.head_amiss(p_state text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
DECLARE
    found json;
BEGIN
    found := p_state::json;
    IF json_typeof(found) <> 'object' THEN
        RETURN 'it is no JSON object';
    END IF;
    PERFORM (found ->> 'received_at')::timestamptz, (found #>> '{ended,at}')::timestamptz;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN SQLERRM;
END $$;

-- When a life ended, by its head; NULL where it goes on, or the head cannot be read.
CREATE FUNCTION es.ended_at(p_state text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog AS $$
BEGIN
    RETURN (p_state::json #>> '{ended,at}')::timestamptz;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END $$;

CREATE VIEW es.head AS
    SELECT stream_id, version, state_schema, state AS text, state::json AS state FROM es.stream;

-- OFFSET 0: each head is looked at once, before anybody asks it for a field.
CREATE VIEW es.head_read AS
    SELECT stream_id, version, state_schema, state AS text, CASE WHEN amiss IS NULL THEN state::json END AS state
    FROM (SELECT s.*, es.head_amiss(s.state) AS amiss FROM es.stream s OFFSET 0) s
    WHERE amiss IS NULL;

CREATE VIEW es.head_unreadable AS
    SELECT stream_id, amiss
    FROM (SELECT s.stream_id, es.head_amiss(s.state) AS amiss FROM es.stream s OFFSET 0) s
    WHERE amiss IS NOT NULL;

-- As in 0009, over readable heads alone; and `es.archive` asks each of its few lives by itself.
DO $$
DECLARE
    known text;
    wanted text;
BEGIN
    known := pg_get_functiondef('es.archivable(timestamptz)'::regprocedure);
    wanted := replace(replace(known, 'FROM stream s', 'FROM head_read s'), 'es.archivable(', 'es.archivable_read(');
    wanted := replace(wanted, 's.state::json #>>', 's.state #>>');
    IF wanted = known OR wanted NOT LIKE '%head_read%' THEN
        RAISE EXCEPTION 'es.archivable is not what it was';
    END IF;
    EXECUTE wanted;
    known := pg_get_functiondef('es.archive(date, uuid[])'::regprocedure);
    wanted := replace(known, '(s.state::json #>> ''{ended,at}'')::timestamptz', 'ended_at(s.state)');
    IF wanted = known THEN
        RAISE EXCEPTION 'es.archive is not what it was';
    END IF;
    EXECUTE wanted;
END $$;

-- Complaints of which the score cannot read a fact: they count for nothing, and `hotline rank` names them.
CREATE TABLE es.score_unread (
    stream_id uuid PRIMARY KEY,
    version   int  NOT NULL,
    why       text NOT NULL
);

REVOKE ALL ON FUNCTION es.json_of(text), es.text_of(bytea), es.head_amiss(text), es.ended_at(text),
    es.archivable_read(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.json_of(text), es.text_of(bytea), es.head_amiss(text) TO hotline_reader;
GRANT SELECT ON es.head, es.head_read, es.head_unreadable, es.score_unread TO hotline_reader;

-- migrate:down
