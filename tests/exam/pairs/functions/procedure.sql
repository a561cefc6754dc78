-- Procedures are no functions.

---- before
create procedure tidy(days int) language sql as 'select 1';

---- after
create procedure tidy(days int) language plpgsql as $$ begin commit; end $$;
create procedure reset() language sql as 'select 2';
grant execute on procedure reset() to app_reader;
comment on procedure tidy(int) is 'at night';
