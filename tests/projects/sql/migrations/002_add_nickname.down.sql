-- The way back; not a migration of its own.
ALTER TABLE customers DROP COLUMN nickname;
