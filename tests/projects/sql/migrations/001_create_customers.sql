-- Numbered files, in the order of their numbers. No tool, no bookkeeping.
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL
);
