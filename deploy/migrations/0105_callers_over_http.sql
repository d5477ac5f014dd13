-- A contact that came over HTTP is found by its numbers too: the process that holds both keys looks for it (decision 0079).
-- migrate:up

-- When the contact is due to be opened for its numbers; null where that is done. No index on the others: they are the most.
ALTER TABLE vault.contact ADD COLUMN index_due timestamptz;
CREATE INDEX contact_index_due ON vault.contact (index_due) WHERE index_due IS NOT NULL;
UPDATE vault.contact c SET index_due = c.taken_at
    WHERE c.taken_by LIKE '/%' -- a sender over HTTP
        AND EXISTS (SELECT FROM vault.key k WHERE k.stream_id = c.stream_id)
        AND NOT EXISTS (SELECT FROM vault.caller n WHERE n.stream_id = c.stream_id);

ALTER TABLE vault.access DROP CONSTRAINT access_as_a_check;
ALTER TABLE vault.access ADD CONSTRAINT access_as_a_check
    CHECK (as_a IN ('UNIT', 'AGENT', 'OPERATOR', 'VISITOR', 'SENDER', 'PROCESS'));
ALTER TABLE vault.access DROP CONSTRAINT access_outcome_check;
ALTER TABLE vault.access ADD CONSTRAINT access_outcome_check
    CHECK (outcome IN (
        'FULL', 'MASKED', 'NOTHING', 'REFUSED', 'PUT', 'SHREDDED', 'FOUND', 'LINKED', 'UNLINKED', 'INDEXED'));

-- As in 0071, and the numbers of what is sealed are due to be looked for.
DO $$
DECLARE
    known text := pg_get_functiondef('vault.seal(uuid, bytea, bytea, bytea, text, boolean)'::regprocedure);
    first text := replace(known, '(stream_id, sealed, taken_by) VALUES (p_stream, p_contact, p_sender)',
        '(stream_id, sealed, taken_by, index_due) VALUES (p_stream, p_contact, p_sender, clock_timestamp())');
    wanted text := replace(first, 'taken_at = clock_timestamp()', 'taken_at = clock_timestamp(), index_due = excluded.index_due');
BEGIN
    IF first = known OR wanted = first THEN
        RAISE EXCEPTION 'vault.seal is not what it was';
    END IF;
    EXECUTE wanted;
END $$;

-- For the two below: a contact of this sender, or one that was taken down then, is found by these numbers. The key is held
-- until they are placed: who shreds it meanwhile waits, and takes them away with it.
CREATE FUNCTION vault.place_numbers(p_stream uuid, p_sender text, p_taken_at timestamptz, p_indexes bytea[]) RETURNS void
LANGUAGE plpgsql SET search_path = vault, pg_catalog AS $$
BEGIN
    PERFORM FROM key k WHERE k.stream_id = p_stream FOR KEY SHARE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE contact c SET index_due = NULL
        WHERE c.stream_id = p_stream AND (c.taken_by = p_sender OR c.taken_at = p_taken_at);
    IF FOUND THEN
        INSERT INTO caller (index, stream_id) SELECT one, p_stream FROM unnest(p_indexes) AS one ON CONFLICT DO NOTHING;
    END IF;
END $$;

-- As in 0091, and nobody else has to look for them.
CREATE OR REPLACE FUNCTION vault.index_sealed(p_stream uuid, p_sender text, p_indexes bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    PERFORM place_numbers(p_stream, p_sender, NULL, p_indexes);
END $$;

-- Contacts whose numbers are due to be looked for; each is noted as read before it is given, and due again after a while.
CREATE FUNCTION vault.take_unindexed(p_most integer, p_again interval)
RETURNS TABLE (stream_id uuid, taken_at timestamptz, sealed bytea, key bytea, master bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
#variable_conflict use_column
BEGIN
    PERFORM es.must_be('staff');
    RETURN QUERY
        WITH due AS (
            SELECT c.stream_id FROM contact c WHERE c.index_due <= clock_timestamp()
            ORDER BY c.index_due LIMIT p_most FOR UPDATE SKIP LOCKED
        ), taken AS (
            UPDATE contact c SET index_due = CASE WHEN k.stream_id IS NULL THEN NULL ELSE clock_timestamp() + p_again END
            FROM due LEFT JOIN vault.key k USING (stream_id) -- a shredded one has none
            WHERE c.stream_id = due.stream_id
            RETURNING c.stream_id, c.taken_at, c.sealed AS contact, k.sealed, k.master
        ), noted AS (
            INSERT INTO access (stream_id, who, as_a, through, outcome, standing, reason)
            SELECT t.stream_id, 'staff', 'PROCESS', 'DOOR', 'INDEXED', 'PROCESS', '' FROM taken t
            WHERE t.master IS NOT NULL RETURNING 1
        )
        SELECT t.stream_id, t.taken_at, t.contact, t.sealed, t.master FROM taken t WHERE t.master IS NOT NULL;
END $$;

-- By these a contact is found, unless another has taken its place since it was given.
CREATE FUNCTION vault.index_taken(p_stream uuid, p_taken_at timestamptz, p_indexes bytea[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = vault, es, pg_catalog AS $$
BEGIN
    PERFORM es.must_be('staff');
    PERFORM place_numbers(p_stream, NULL, p_taken_at, p_indexes);
END $$;

REVOKE ALL ON FUNCTION vault.place_numbers, vault.take_unindexed, vault.index_taken FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vault.take_unindexed, vault.index_taken TO hotline_staff;

-- migrate:down
