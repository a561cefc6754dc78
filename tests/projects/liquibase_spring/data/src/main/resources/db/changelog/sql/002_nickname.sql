--liquibase formatted sql

--changeset shop:2
ALTER TABLE customers ADD COLUMN nickname text;
--rollback ALTER TABLE customers DROP COLUMN nickname;
