-- What a person decided not to handle: kept whole, with who knows why.
-- migrate:up
CREATE TABLE es.parked_dropped (
    LIKE es.parked,
    why        text        NOT NULL,
    dropped_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (parked_id)
);
GRANT SELECT ON es.parked_dropped TO hotline_reader;

-- migrate:down
