-- Pages show the knowledge base, the scores and the programmes: what they read of it, and no more.
-- migrate:up
GRANT USAGE ON SCHEMA intake TO hotline_web;
GRANT SELECT ON intake.article, intake.article_withdrawn, intake.article_version TO hotline_web;
GRANT SELECT ON es.programme_fact TO hotline_web;

-- migrate:down
