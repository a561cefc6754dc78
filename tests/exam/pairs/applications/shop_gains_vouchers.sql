-- A shop: customers, products, orders with lines. The step: vouchers, a state more, a price with a check.

---- before
create type order_state as enum ('cart', 'paid', 'sent');
create table customer (
    id bigint generated always as identity primary key,
    email text not null unique,
    name text,
    created_at timestamptz not null default now()
);
create table product (
    id bigint generated always as identity primary key,
    sku varchar(20) not null unique,
    title text not null,
    price_cents int not null
);
create table purchase (
    id bigint generated always as identity primary key,
    customer_id bigint not null references customer,
    state order_state not null default 'cart',
    placed_at timestamptz
);
create table purchase_line (
    purchase_id bigint not null references purchase on delete cascade,
    product_id bigint not null references product,
    quantity int not null default 1 check (quantity > 0),
    primary key (purchase_id, product_id)
);
create view turnover as
    select date_trunc('day', p.placed_at) as day, sum(l.quantity * a.price_cents) as cents
    from purchase p join purchase_line l on l.purchase_id = p.id join product a on a.id = l.product_id
    where p.state <> 'cart' group by 1;

---- data
insert into customer (email, name) select 'c' || n || '@example.com', 'Customer ' || n from generate_series(1, 100) n;
insert into product (sku, title, price_cents) select 'S' || n, 'Thing ' || n, n * 10 from generate_series(1, 20) n;
insert into purchase (customer_id, state, placed_at) select n, 'paid', timestamptz '2026-01-01' + n * interval '1 h' from generate_series(1, 100) n;
insert into purchase_line select n, 1 + n % 20, 1 + n % 3 from generate_series(1, 100) n;

---- after
create type order_state as enum ('cart', 'paid', 'packed', 'sent', 'returned');
create table customer (
    id bigint generated always as identity primary key,
    email text not null unique,
    name text,
    created_at timestamptz not null default now(),
    newsletter boolean not null default false
);
create table product (
    id bigint generated always as identity primary key,
    sku varchar(40) not null unique,
    title text not null,
    price_cents int not null check (price_cents >= 0)
);
create table voucher (
    code text primary key,
    percent int not null check (percent between 1 and 100),
    valid_until date
);
create table purchase (
    id bigint generated always as identity primary key,
    customer_id bigint not null references customer,
    state order_state not null default 'cart',
    placed_at timestamptz,
    voucher_code text references voucher
);
create index purchase_customer on purchase (customer_id);
create index purchase_open on purchase (placed_at) where state = 'packed';
create table purchase_line (
    purchase_id bigint not null references purchase on delete cascade,
    product_id bigint not null references product,
    quantity int not null default 1 check (quantity > 0),
    primary key (purchase_id, product_id)
);
create view turnover as
    select date_trunc('day', p.placed_at) as day, sum(l.quantity * a.price_cents) as cents, count(p.voucher_code) as vouchers
    from purchase p join purchase_line l on l.purchase_id = p.id join product a on a.id = l.product_id
    where p.state <> 'cart' group by 1;
comment on view turnover is 'without vouchers taken off';
