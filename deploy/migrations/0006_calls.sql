-- The register of calls as the telephone system tells them: intake's own, not part of a complaint's life.
-- migrate:up
CREATE SCHEMA intake;
CREATE TABLE intake.call (
    call_id     text PRIMARY KEY,
    offered_at  timestamptz,
    answered_at timestamptz,
    ended_at    timestamptz,
    cause       text
) WITH (fillfactor = 80);

-- Merging is the same in any order and any number of times: the earliest of each instant stays, and the
-- cause belongs to the earliest end. So one call has one terminal state under repeats and disorder (T1).
CREATE FUNCTION intake.note_calls(
    p_call text[], p_offered timestamptz[], p_answered timestamptz[], p_ended timestamptz[], p_cause text[]
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = intake, pg_catalog AS $$
    INSERT INTO call AS c (call_id, offered_at, answered_at, ended_at, cause)
        SELECT * FROM unnest(p_call, p_offered, p_answered, p_ended, p_cause)
        ORDER BY 1
    ON CONFLICT (call_id) DO UPDATE SET
        offered_at = least(c.offered_at, excluded.offered_at),
        answered_at = least(c.answered_at, excluded.answered_at),
        cause = CASE
            WHEN c.ended_at IS NULL OR excluded.ended_at < c.ended_at THEN coalesce(excluded.cause, c.cause)
            WHEN excluded.ended_at = c.ended_at THEN least(c.cause, excluded.cause)
            ELSE c.cause END,
        ended_at = least(c.ended_at, excluded.ended_at)
$$;

CREATE VIEW intake.call_outcome AS
    SELECT call_id, offered_at, answered_at, ended_at,
           CASE WHEN answered_at IS NOT NULL THEN 'ANSWERED'
                WHEN ended_at IS NULL THEN NULL
                ELSE upper(cause) END AS outcome,
           answered_at - offered_at AS wait
    FROM intake.call;

-- migrate:down
