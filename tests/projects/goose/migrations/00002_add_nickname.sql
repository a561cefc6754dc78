-- +goose Up
ALTER TABLE customers ADD COLUMN nickname text;

-- +goose Down
ALTER TABLE customers DROP COLUMN nickname;
