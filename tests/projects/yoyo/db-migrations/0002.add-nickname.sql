-- depends: 0001.create-customers
ALTER TABLE customers ADD COLUMN nickname text;
