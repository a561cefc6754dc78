create table customers (
    id bigint generated always as identity primary key,
    email varchar(200) not null
);
