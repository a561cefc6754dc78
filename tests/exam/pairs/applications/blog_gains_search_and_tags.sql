-- A blog. The step: tags, full text search as a generated column, soft deletion.

---- before
create table author (id serial primary key, handle varchar(30) not null unique, bio text);
create table post (
    id serial primary key,
    author_id int not null references author,
    slug text not null,
    title text not null,
    body text not null,
    published_at timestamptz,
    unique (author_id, slug)
);
create table comment (id serial primary key, post_id int not null references post on delete cascade, body text not null);
create index comment_post on comment (post_id);
create view published as select id, title, slug from post where published_at is not null;

---- data
insert into author (handle) values ('ada'), ('grace');
insert into post (author_id, slug, title, body, published_at) select 1 + n % 2, 's' || n, 'Title ' || n, 'Words ' || n, case when n % 3 = 0 then now() end from generate_series(1, 60) n;
insert into comment (post_id, body) select 1 + n % 60, 'Nice ' || n from generate_series(1, 200) n;

---- after
create table author (id serial primary key, handle varchar(30) not null unique, bio text);
create table post (
    id serial primary key,
    author_id int not null references author,
    slug text not null,
    title text not null,
    body text not null,
    published_at timestamptz,
    deleted_at timestamptz,
    search tsvector generated always as (setweight(to_tsvector('english', title), 'A') || to_tsvector('english', body)) stored,
    unique (author_id, slug)
);
create index post_search on post using gin (search);
create table tag (name text primary key);
create table post_tag (post_id int references post on delete cascade, tag text references tag on update cascade, primary key (post_id, tag));
create table comment (id serial primary key, post_id int not null references post on delete cascade, body text not null, created_at timestamptz default now());
create index comment_post on comment (post_id, created_at desc);
create view published as select id, title, slug from post where published_at is not null and deleted_at is null;
create view tag_count as select tag, count(*) from post_tag join published on published.id = post_id group by tag;
