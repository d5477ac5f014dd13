-- Which migrations a database has had: `hotline upgrade --check` compares them with the files of a release.
-- migrate:up
GRANT SELECT ON public.schema_migrations TO hotline_reader;

-- migrate:down
