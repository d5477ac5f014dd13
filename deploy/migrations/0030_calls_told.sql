-- The register keeps all that is told of a call, as a set: nothing told later, earlier or twice takes another thing's
-- place. What the set comes to is said in one place, services/intake/register.py (decision 0034).
-- migrate:up
DROP VIEW intake.call_outcome;
DROP FUNCTION intake.note_calls(text[], timestamptz[], timestamptz[], timestamptz[], text[]);

ALTER TABLE intake.call ADD COLUMN told text[];

-- A thing told: its instant in UTC, always 32 characters long, a blank, and what was told.
CREATE FUNCTION intake.told(p_at timestamptz, p_what text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00 "') || p_what
$$;

-- Two sets become one, the earliest 1,000 of it: the same in any order and any number of times.
CREATE FUNCTION intake.told_together(p_one text[], p_other text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT array_agg(t ORDER BY t COLLATE "C") FROM (
        SELECT DISTINCT t COLLATE "C" AS t FROM unnest(p_one || p_other) AS t ORDER BY 1 LIMIT 1000
    ) AS u
$$;

-- The first instant at which something that begins so was told; with the empty text the first of all.
CREATE FUNCTION intake.first_told(p_told text[], p_what text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT min(left(t, 32) COLLATE "C")::timestamptz FROM unnest(p_told) AS t WHERE starts_with(substr(t, 34), p_what)
$$;

-- Of calls told before, what was kept: the earliest instant of each kind.
UPDATE intake.call SET told = coalesce(intake.told_together('{}', array_remove(ARRAY[
    intake.told(offered_at, 'offered'),
    intake.told(answered_at, 'answered'),
    intake.told(ended_at, 'ended ' || CASE
        WHEN cause IN ('hangup', 'abandoned', 'busy', 'timeout', 'system_fail') THEN cause ELSE 'other' END)
], NULL)), '{}');

ALTER TABLE intake.call
    ALTER COLUMN told SET NOT NULL,
    DROP COLUMN offered_at,
    DROP COLUMN answered_at,
    DROP COLUMN ended_at,
    DROP COLUMN cause;
-- The first of each, for whoever looks by hand; figures are made of the whole set.
ALTER TABLE intake.call
    ADD COLUMN offered_at timestamptz GENERATED ALWAYS AS
        (coalesce(intake.first_told(told, 'offered'), intake.first_told(told, 'reckoned offered'))) STORED,
    ADD COLUMN answered_at timestamptz GENERATED ALWAYS AS
        (coalesce(intake.first_told(told, 'answered'), intake.first_told(told, 'reckoned answered'))) STORED,
    ADD COLUMN ended_at timestamptz GENERATED ALWAYS AS
        (least(intake.first_told(told, 'ended '), intake.first_told(told, 'left '))) STORED,
    ADD COLUMN counted_at timestamptz GENERATED ALWAYS AS
        (coalesce(intake.first_told(told, 'offered'), intake.first_told(told, 'reckoned offered'),
                  intake.first_told(told, ''))) STORED;
CREATE INDEX call_counted ON intake.call (counted_at);

-- Sorted by call, or two batches about the same calls could deadlock. A repeat writes nothing.
CREATE FUNCTION intake.note_calls(p_call text[], p_at timestamptz[], p_what text[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = intake, pg_catalog AS $$
    INSERT INTO call AS c (call_id, told)
        SELECT u.id, told_together('{}', array_agg(told(u.at, u.what)))
        FROM unnest(p_call, p_at, p_what) AS u (id, at, what)
        GROUP BY u.id ORDER BY u.id
    ON CONFLICT (call_id) DO UPDATE SET told = told_together(c.told, excluded.told)
        WHERE NOT excluded.told <@ c.told
$$;

REVOKE ALL ON FUNCTION intake.note_calls, intake.told, intake.told_together, intake.first_told FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.note_calls TO hotline_intake;

-- migrate:down
