-- Up Migration
ALTER TABLE customers ADD COLUMN nickname text;

-- Down Migration
ALTER TABLE customers DROP COLUMN nickname;
