-- Invoices. The step: domains for money, checks, exact numerics, deferred keys.

---- before
create table party (id uuid primary key default gen_random_uuid(), name text not null);
create table invoice (
    id uuid primary key default gen_random_uuid(),
    number text,
    party_id uuid references party,
    total numeric(10, 2),
    issued_on date
);
create table payment (id bigserial primary key, invoice_id uuid references invoice, amount numeric(10, 2), paid_on date);

---- data
insert into party (id, name) select gen_random_uuid(), 'P' || n from generate_series(1, 10) n;
insert into invoice (number, party_id, total, issued_on) select 'R-' || row_number() over (), id, 100.50, '2026-01-01' from party;
insert into payment (invoice_id, amount, paid_on) select id, 50, '2026-02-01' from invoice;

---- after
create domain amount as numeric(12, 2) constraint amount_positive check (value >= 0);
create domain currency as char(3) default 'EUR' check (value ~ '^[A-Z]{3}$');
create table party (id uuid primary key default gen_random_uuid(), name text not null, vat_id text unique);
create table invoice (
    id uuid primary key default gen_random_uuid(),
    number text not null unique,
    party_id uuid not null references party deferrable,
    total amount not null,
    currency currency not null default 'EUR',
    issued_on date not null,
    due_on date generated always as (issued_on + 30) stored,
    constraint due_later check (due_on > issued_on)
);
create table payment (
    id bigserial primary key,
    invoice_id uuid not null references invoice on delete restrict,
    amount amount not null,
    paid_on date
);
create function open_amount(i invoice) returns numeric language sql stable as
    'select i.total - coalesce(sum(amount), 0) from payment where invoice_id = i.id';
create view overdue as select i.id, i.number, open_amount(i) as open from invoice i where due_on < current_date;
grant select on overdue to app_reader;
