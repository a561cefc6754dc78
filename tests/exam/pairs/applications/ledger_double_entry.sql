-- Double-entry bookkeeping. The step: currencies, a deferred balance check, a closing procedure.

---- before
create type side as enum ('debit', 'credit');
create table ledger_account (code varchar(10) primary key, name text not null);
create table booking (id bigserial primary key, day date not null, text text);
create table posting (booking_id bigint not null references booking, account varchar(10) not null references ledger_account, side side not null, amount numeric(14, 2) not null);
create view balance as select account, sum(case side when 'debit' then amount else -amount end) as saldo from posting group by account;

---- data
insert into ledger_account values ('1000', 'cash'), ('8400', 'sales');
insert into booking (day, text) select date '2026-01-01' + n, 'sale' from generate_series(1, 30) n;
insert into posting select id, a, s::side, 10 from booking, (values ('1000', 'debit'), ('8400', 'credit')) as v (a, s);

---- after
create type side as enum ('debit', 'credit');
create table currency (code char(3) primary key);
create table ledger_account (code varchar(10) primary key, name text not null, parent varchar(10) references ledger_account);
create table booking (id bigserial primary key, day date not null, text text not null default '', closed boolean not null default false);
create table posting (booking_id bigint not null references booking on delete cascade, account varchar(10) not null references ledger_account, side side not null, amount numeric(16, 4) not null check (amount > 0), currency char(3) references currency);
create index posting_account on posting (account) include (side, amount);
create view balance as select account, sum(case side when 'debit' then amount else -amount end) as saldo from posting group by account;
create function check_balance() returns trigger language plpgsql as $$
begin
    if (select sum(case side when 'debit' then amount else -amount end) from posting where booking_id = new.booking_id) <> 0 then
        raise exception 'booking % does not balance', new.booking_id;
    end if;
    return null;
end $$;
create constraint trigger check_balance after insert or update on posting deferrable initially deferred for each row execute function check_balance();
create procedure close_until(last date) language sql begin atomic update booking set closed = true where day <= last; end;
