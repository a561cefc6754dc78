-- A body with quotes, semicolons and dollar signs.

---- before

---- after
create function odd() returns text language plpgsql as $body$
begin
    -- a comment; with a semicolon and $$ in it
    execute $q$ select 'it''s; fine' $q$;
    return E'\\;';
end
$body$;
