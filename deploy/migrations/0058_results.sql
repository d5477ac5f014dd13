-- A speaker hears what came of its word: which input a refusal answers, and a notice of each parking.
-- migrate:up

-- Refusals are rare, and the inbox keeps a digest of source and id alone: here both stand as they came.
CREATE TABLE es.refused_input (
    message_id text PRIMARY KEY, -- es.event.caused_by of the refusal
    consumer   text NOT NULL,
    topic      text NOT NULL,
    source     text NOT NULL,
    event_id   text NOT NULL
);

-- Written with the offset of what is parked. Not es.parked itself: a row leaves that as soon as it is taken up or
-- dropped, and it holds the body. The relay needs neither.
CREATE TABLE es.parking_notice (
    notice_id    bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid          xid8        NOT NULL DEFAULT pg_current_xact_id(),
    consumer     text        NOT NULL,
    topic        text        NOT NULL,
    part         int         NOT NULL,
    kafka_offset bigint      NOT NULL,
    sent_at_ms   bigint      NOT NULL,
    source       text,       -- where it could be read
    event_id     text,
    complaint_id uuid,
    reason       text        NOT NULL,
    parked_at    timestamptz NOT NULL DEFAULT es.present()
);
-- Parked again for the same reason is nothing new; for another reason it is.
CREATE UNIQUE INDEX parking_notice_once
    ON es.parking_notice (consumer, topic, part, kafka_offset, sent_at_ms, md5(reason));
CREATE INDEX parking_notice_xid ON es.parking_notice (xid, notice_id);

-- What of it has been sent: all that is visible in this snapshot. Who may move it: the owner of shard 0 of es.relay.
CREATE TABLE es.parking_relay (
    one    boolean     PRIMARY KEY DEFAULT true CHECK (one), -- there is one row
    snap_a pg_snapshot NOT NULL
);
INSERT INTO es.parking_relay (snap_a) VALUES (pg_current_snapshot());

CREATE FUNCTION es.note_results(
    p_consumer text,
    r_message text[], r_topic text[], r_source text[], r_id text[],
    k_topic text[], k_part int[], k_offset bigint[], k_sent_at_ms bigint[], k_source text[], k_id text[],
    k_complaint uuid[], k_reason text[]
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = es, pg_catalog AS $$
BEGIN
    PERFORM must_be(p_consumer);
    INSERT INTO refused_input (message_id, consumer, topic, source, event_id)
        SELECT u.message, p_consumer, u.topic, u.source, u.id
        FROM unnest(r_message, r_topic, r_source, r_id) AS u (message, topic, source, id)
        ON CONFLICT DO NOTHING;
    INSERT INTO parking_notice (consumer, topic, part, kafka_offset, sent_at_ms, source, event_id, complaint_id, reason)
        SELECT p_consumer, u.*
        FROM unnest(k_topic, k_part, k_offset, k_sent_at_ms, k_source, k_id, k_complaint, k_reason) AS u
        ON CONFLICT DO NOTHING;
END $$;
REVOKE ALL ON FUNCTION es.note_results FROM PUBLIC;
GRANT EXECUTE ON FUNCTION es.note_results TO hotline_desk;

GRANT SELECT ON es.refused_input, es.parking_notice, es.parking_relay TO hotline_relay, hotline_reader;
GRANT UPDATE ON es.parking_relay TO hotline_relay;
-- An order says when the request was received and whether it is confidential, a closing whose order it was: by the head.
GRANT SELECT ON es.stream TO hotline_relay;

-- migrate:down
