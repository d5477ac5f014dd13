-- A unit asks over HTTP for the answers that programmes offer it.
-- migrate:up
GRANT SELECT ON es.programme_fact TO hotline_web;

-- migrate:down
