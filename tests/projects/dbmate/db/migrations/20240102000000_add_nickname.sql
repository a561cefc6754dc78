-- migrate:up
ALTER TABLE customers ADD COLUMN nickname text;

-- migrate:down
ALTER TABLE customers DROP COLUMN nickname;
