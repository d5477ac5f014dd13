-- A second record of one call is no request of its own: its row says how far its facts are taken in, and counts nowhere.
-- migrate:up
ALTER TABLE es.score_life ALTER COLUMN requested DROP NOT NULL;

-- migrate:down
