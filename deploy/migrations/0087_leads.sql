-- How many open orders lie with each unit, by district: a sum that moves with the rows. Four hundred thousand rows are
-- not counted anew each second.
-- migrate:up
CREATE TABLE read.lead (
    district text   NOT NULL,
    unit     text   NOT NULL,
    orders   bigint NOT NULL, -- a sum of nothing may stay as 0
    PRIMARY KEY (district, unit)
) WITH (fillfactor = 50);

CREATE FUNCTION read.leads_changed() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO read.lead AS t SELECT a.district, a.unit, count(*) FROM added a
            WHERE a.list = 'orders' AND a.role = 'lead' GROUP BY 1, 2 ORDER BY 1, 2
            ON CONFLICT (district, unit) DO UPDATE SET orders = t.orders + excluded.orders;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO read.lead AS t SELECT r.district, r.unit, -count(*) FROM removed r
            WHERE r.list = 'orders' AND r.role = 'lead' GROUP BY 1, 2 ORDER BY 1, 2
            ON CONFLICT (district, unit) DO UPDATE SET orders = t.orders + excluded.orders;
    ELSE
        INSERT INTO read.lead AS t SELECT m.district, m.unit, sum(m.n) FROM (
                SELECT a.district, a.unit, 1 AS n FROM added a WHERE a.list = 'orders' AND a.role = 'lead'
                UNION ALL SELECT r.district, r.unit, -1 FROM removed r WHERE r.list = 'orders' AND r.role = 'lead'
            ) m GROUP BY 1, 2 HAVING sum(m.n) <> 0 ORDER BY 1, 2
            ON CONFLICT (district, unit) DO UPDATE SET orders = t.orders + excluded.orders;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER leads_added AFTER INSERT ON read.waiting REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION read.leads_changed();
CREATE TRIGGER leads_moved AFTER UPDATE ON read.waiting REFERENCING OLD TABLE AS removed NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION read.leads_changed();
CREATE TRIGGER leads_removed AFTER DELETE ON read.waiting REFERENCING OLD TABLE AS removed
    FOR EACH STATEMENT EXECUTE FUNCTION read.leads_changed();
INSERT INTO read.lead
    SELECT district, unit, count(*) FROM read.waiting WHERE list = 'orders' AND role = 'lead' GROUP BY 1, 2;

REVOKE ALL ON FUNCTION read.leads_changed FROM PUBLIC;
GRANT SELECT ON read.lead TO hotline_reader, hotline_operator, hotline_web;
GRANT INSERT, UPDATE, DELETE ON read.lead TO hotline_operator;

-- migrate:down
