-- Revert shop:nickname from pg

BEGIN;

ALTER TABLE customers DROP COLUMN nickname;

COMMIT;
