-- A cast from a type of one's own.

---- before
create type money2 as (amount numeric);

---- after
create type money2 as (amount numeric);
create function amount(m money2) returns numeric language sql immutable as 'select m.amount';
create cast (money2 as numeric) with function amount(money2) as assignment;
