-- The knowledge base agents answer from (B2): articles by version, found by full text over words cut beforehand
-- (hotline/knowledge.py). A version is never changed; that one was withdrawn is a row of its own.
-- migrate:up
CREATE TABLE intake.article (
    article_id  text        NOT NULL CHECK (article_id <> ''),
    version     int         NOT NULL CHECK (version >= 1),
    subject     text        NOT NULL,
    title       text        NOT NULL,
    body        text        NOT NULL,
    title_words text        NOT NULL, -- cut, with blanks between: PostgreSQL itself cuts no Chinese
    body_words  text        NOT NULL,
    valid_from  timestamptz NOT NULL, -- city time
    source      text        NOT NULL, -- what it stands on
    -- A word of the title weighs more than any of the body.
    found_by    tsvector    NOT NULL GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', title_words), 'A') || setweight(to_tsvector('simple', body_words), 'D')
    ) STORED,
    PRIMARY KEY (article_id, version)
);
CREATE INDEX article_found_by ON intake.article USING gin (found_by);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON intake.article
    FOR EACH STATEMENT EXECUTE FUNCTION es.refuse();

CREATE TABLE intake.article_withdrawn (
    article_id   text        NOT NULL,
    version      int         NOT NULL,
    withdrawn_at timestamptz NOT NULL, -- city time; from this instant on nobody answers from it
    reason       text        NOT NULL,
    PRIMARY KEY (article_id, version),
    FOREIGN KEY (article_id, version) REFERENCES intake.article
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON intake.article_withdrawn
    FOR EACH STATEMENT EXECUTE FUNCTION es.refuse();

CREATE VIEW intake.article_version AS
    SELECT a.*, w.withdrawn_at, w.reason AS withdrawn_why
    FROM intake.article a LEFT JOIN intake.article_withdrawn w USING (article_id, version);

-- What intake must know of them to check an answer: which there are, and from when to when.
CREATE FUNCTION intake.articles()
RETURNS TABLE (article_id text, version int, valid_from timestamptz, withdrawn_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = intake, pg_catalog AS $$
    SELECT article_id, version, valid_from, withdrawn_at FROM article_version
$$;
REVOKE ALL ON FUNCTION intake.articles() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION intake.articles() TO hotline_intake;

GRANT SELECT ON intake.article, intake.article_withdrawn, intake.article_version TO hotline_reader;

-- migrate:down
