-- Lists say until when an order is to be signed, and what has climbed to a district or the top is a list too.
-- migrate:up
-- Of an order that nobody has reacted to: its sign limit, also once it has passed. NULL: there is none any more.
ALTER TABLE read.complaint ADD COLUMN sign_due_at timestamptz;

-- migrate:down
