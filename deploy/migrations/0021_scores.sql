-- The score: what each life counts for, a view of the log that `hotline rank` keeps up (hotline/rank.py); the months
-- that are frozen; and what has come to light about them since, a view too.
-- migrate:up
CREATE TABLE es.score_life (
    stream_id uuid    PRIMARY KEY,
    version   int     NOT NULL, -- how far its facts are taken in
    requested date    NOT NULL, -- the first day of the city's month in which it was received
    district  text    NOT NULL,
    street    text,
    month     date,             -- the month in which it counts; null until it does
    unit      text,
    left_out  text,
    responded boolean NOT NULL,
    visited   boolean NOT NULL,
    solved    boolean NOT NULL,
    satisfied boolean NOT NULL,
    whistled  boolean NOT NULL,
    calls     text    NOT NULL  -- who was called by a whistle, and came or not; JSON
);
CREATE INDEX score_life_month ON es.score_life (month);
CREATE INDEX score_life_requested ON es.score_life (requested);

-- How far the view goes; no row: nowhere yet.
CREATE TABLE es.score_view (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    seen     text    NOT NULL, -- the snapshot whose facts are taken in
    made_in  text    NOT NULL, -- the database whose transactions that snapshot counts
    made_by  text    NOT NULL, -- the version of the fold
    archived bigint  NOT NULL  -- facts in the archive then
);

-- A month as it was published: nothing changes it any more (T20).
CREATE TABLE es.score_month (
    month     date        PRIMARY KEY CHECK (extract(day FROM month) = 1),
    through   bigint      NOT NULL, -- the facts up to this position are in it, and no others
    frozen_at timestamptz NOT NULL, -- city time
    published bytea       NOT NULL  -- the very bytes
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON es.score_month
    FOR EACH STATEMENT EXECUTE FUNCTION es.refuse();

-- What a life would count for in a frozen month by what was said later, beside what it counted for.
CREATE TABLE es.score_correction (
    month     date NOT NULL REFERENCES es.score_month,
    stream_id uuid NOT NULL,
    version   int  NOT NULL, -- the first of the facts that came too late
    type      text NOT NULL,
    was       text,          -- null: it was not in this month
    now       text,
    PRIMARY KEY (month, stream_id)
);

GRANT SELECT ON es.score_life, es.score_view, es.score_month, es.score_correction TO hotline_reader;

-- migrate:down
