-- Verify shop:nickname on pg

BEGIN;

SELECT nickname FROM customers WHERE false;

ROLLBACK;
