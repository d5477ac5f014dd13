-- What could not be read out of Kafka is parked too: its headers say so, and hold what could be told apart of them.
-- migrate:up
COMMENT ON COLUMN es.parked.headers IS
    'A JSON list of [name, base64 of the value or null]. Of what could not be read a JSON object: '
    'unread (why, last_offset), and headers as a list of [name as shown, base64 of the value or null, base64 of the name].';
COMMENT ON COLUMN es.parked.value IS
    'The value. Of what could not be told apart the bytes as they lay in Kafka: a record, or a batch of several offsets.';

-- migrate:down
