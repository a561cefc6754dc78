-- Comments with quotes and line breaks, on what has been replaced too.

---- before
create table note (id int primary key, body text, constraint short check (length(body) < 10));
create index note_body on note (body);
comment on table note is 'old';
comment on column note.body is 'gone';
comment on constraint short on note is 'kept';
comment on index note_body is 'kept, too';

---- data
insert into note values (1, 'x');

---- after
create table note (id int primary key, body text, constraint short check (length(body) < 20));
create index note_body on note (body desc);
comment on table note is E'it''s \\ "new"\nand longer; -- drop table note';
comment on constraint short on note is 'kept';
comment on index note_body is 'kept, too';
