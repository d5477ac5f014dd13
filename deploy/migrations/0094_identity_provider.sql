-- People of the city's identity provider become lines of the register, and sign in by it (decision 0074).
-- migrate:up
ALTER TABLE web.staff
    ADD COLUMN issuer  text NOT NULL DEFAULT '', -- the provider whose account the person has; empty: signs in by links
    ADD COLUMN account text NOT NULL DEFAULT '', -- as the provider names the person for ever (`sub`)
    ADD CHECK ((issuer = '') = (account = ''));
CREATE UNIQUE INDEX staff_account ON web.staff (issuer, account, role, unit) WHERE account <> '';

-- Sign-ins that wait for the provider's answer: each is answered once, in the browser that began it.
CREATE TABLE web.sign_in_under_way (
    hash       bytea       PRIMARY KEY CHECK (octet_length(hash) = 32), -- of 32 random bytes, which a cookie holds
    goes_to    text        NOT NULL, -- the page that was asked for
    expires_at timestamptz NOT NULL
);
CREATE INDEX sign_in_under_way_by_end ON web.sign_in_under_way (expires_at);

CREATE FUNCTION web.begin_sign_in(p_hash bytea, p_goes_to text, p_valid interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    DELETE FROM sign_in_under_way WHERE hash IN (
        SELECT hash FROM sign_in_under_way WHERE expires_at < clock_timestamp() FOR UPDATE SKIP LOCKED);
    INSERT INTO sign_in_under_way VALUES (p_hash, p_goes_to, clock_timestamp() + p_valid);
END $$;

-- Where a sign-in goes on to; NULL where none is under way any more. It is over with this.
CREATE FUNCTION web.end_sign_in(p_hash bytea) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
    DELETE FROM sign_in_under_way WHERE hash = p_hash AND expires_at > clock_timestamp() RETURNING goes_to
$$;

-- The lines of an account: one for each role it has now. The sessions of the roles it has no more end.
-- A link is made for each line that may sign in; a line that was revoked stays so.
CREATE FUNCTION web.admit_account(
    p_issuer text, p_account text, p_name text,
    p_ids text[], p_roles text[], p_units text[], p_links bytea[], p_valid interval
) RETURNS TABLE (place integer, staff_id text, revoked boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
#variable_conflict use_column
BEGIN
    PERFORM es.must_say('issuer', p_issuer);
    PERFORM es.must_say('account', p_account);
    PERFORM es.must_say('name', p_name);
    INSERT INTO staff (staff_id, name, role, unit, issuer, account)
        SELECT u.id, p_name, u.role, u.unit, p_issuer, p_account
        FROM unnest(p_ids, p_roles, p_units) AS u (id, role, unit) ORDER BY u.role, u.unit
    ON CONFLICT (issuer, account, role, unit) WHERE account <> '' DO UPDATE SET name = excluded.name;
    DELETE FROM session n USING staff s WHERE s.staff_id = n.staff_id AND s.issuer = p_issuer AND s.account = p_account
        AND (s.role, s.unit) NOT IN (SELECT u.role, u.unit FROM unnest(p_roles, p_units) AS u (role, unit));
    DELETE FROM staff_link l USING staff s WHERE s.staff_id = l.staff_id AND s.issuer = p_issuer AND s.account = p_account;
    INSERT INTO staff_link (hash, staff_id, expires_at)
        SELECT u.link, s.staff_id, clock_timestamp() + p_valid
        FROM unnest(p_roles, p_units, p_links) AS u (role, unit, link)
        JOIN staff s ON (s.issuer, s.account, s.role, s.unit) = (p_issuer, p_account, u.role, u.unit)
        WHERE s.revoked_at IS NULL;
    RETURN QUERY SELECT u.place::integer, s.staff_id, s.revoked_at IS NOT NULL
        FROM unnest(p_roles, p_units) WITH ORDINALITY AS u (role, unit, place)
        JOIN staff s ON (s.issuer, s.account, s.role, s.unit) = (p_issuer, p_account, u.role, u.unit)
        ORDER BY u.place;
END $$;

-- Let a person of the provider in again who was revoked: the account stays the same, so no new line can be made.
CREATE FUNCTION web.readmit_staff(p_id text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = web, pg_catalog AS $$
BEGIN
    UPDATE staff SET revoked_at = NULL, agent = '' WHERE staff_id = p_id AND account <> '' AND revoked_at IS NOT NULL;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is nobody % of the identity provider who was revoked', p_id USING ERRCODE = 'HL004';
    END IF;
END $$;

REVOKE ALL ON FUNCTION web.begin_sign_in, web.end_sign_in, web.admit_account, web.readmit_staff FROM PUBLIC;
-- Who may admit an account can be anybody on the pages: the public listener may not.
GRANT USAGE ON SCHEMA web TO hotline_staff;
GRANT EXECUTE ON FUNCTION web.begin_sign_in, web.end_sign_in, web.admit_account TO hotline_staff;
GRANT EXECUTE ON FUNCTION web.readmit_staff TO hotline_operator;

-- migrate:down
