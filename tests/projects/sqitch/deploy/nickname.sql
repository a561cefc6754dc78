-- Deploy shop:nickname to pg
-- requires: customers

BEGIN;

ALTER TABLE customers ADD COLUMN nickname text;

COMMIT;
