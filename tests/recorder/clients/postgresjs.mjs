// The scenario of clients_test.py with postgres.js: pipelines, prepared statements, COPY streams, cancel.
import { createRequire } from "node:module";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
const require = createRequire(import.meta.url);
const postgres = require("postgres");

const show = (...words) => console.log(JSON.stringify(words));
const insist = process.argv[3] === "insist";
const url = insist ? process.argv[2].replace(/sslmode=\w+/, "") : process.argv[2];
const connect = () => postgres(url, {
  max: 1, ...(insist && { ssl: { rejectUnauthorized: false } }),
  onnotice: (n) => show("notice", n.severity, n.code, n.message),
});
const fails = (query) => query.then((rows) => show("no error", rows), (error) => {
  const { severity, code, message, detail, position, where, routine } = error;
  show({ severity, code, message, detail, position, where, routine });
});

const sql = connect();
await sql`create table t (id int primary key, v text, n numeric, at timestamptz, b bytea, j jsonb)`;
await sql`create table if not exists t (id int)`;
// Sent without waiting for each other.
await Promise.all([...Array(8).keys()].map((id) =>
  sql`insert into t values (${id}, ${"ä" + id}, ${"1.50"}, ${new Date(0)}, ${Buffer.from([0, 255])}, ${sql.json({ k: id })})`));
show(await sql`select * from t where id < ${3} order by id`);
show((await sql.unsafe("")).command);
await Promise.all([fails(sql`select 1/${0}::int`), sql`select 'after an error' as a`.then((r) => show(r)), fails(sql`select * from missing`)]);
await sql.begin(async (sql) => {
  await sql`update t set v = 'x' where id < 3`;
  await sql.savepoint(async (sql) => { await sql`create index on t (v)`; await sql`select 1/0`; }).catch((e) => show(e.code));
  show(await sql`select count(*) from t where v = ${"x"}`);
});
await fails(sql.begin(async (sql) => { await sql`insert into t (id) values (1)`; }));
await sql`do $$ begin raise notice 'hello'; raise warning 'careful'; end $$`;
show(await sql.unsafe("select 1 as a; alter table t add column extra int default 7; select 2 as b"));
await fails(sql.unsafe("select 1; select 1/0; select 3"));
await sql`select id from t order by id`.cursor(3, (rows) => show(rows));
await sql.begin(async (sql) => {
  await sql`update t set n = n + 1`;
  for await (const rows of sql`select id from t order by id`.cursor(3)) show(rows);
});
await sql.begin(async (sql) => {
  await sql`create table filled (id int)`;
  await pipeline(Readable.from(["100\tone\n", "101\ttwo\n"]), await sql`copy t (id, v) from stdin`.writable());
  const out = [];
  const readable = await sql`copy (select id, v, extra from t order by id) to stdout`.readable();
  await pipeline(readable, new Writable({ write(chunk, _, done) { out.push(chunk.toString()); done(); } }));
  show(out.join(""));
});
// No COPY that fails: the driver never settles its stream then.
show(await sql`select count(*) from t`);
await sql`alter table t drop column j`;
show(await sql`select length(${"é".repeat(1200000)}::text)`);
show((await sql`select i, repeat('x', 100) from generate_series(1, 20000) i`).length);

const other = connect();
const rung = new Promise((resolve) => other.listen("bell", resolve).then(() => sql`notify bell, 'ding'`));
show(await rung);
const sleeping = sql`select pg_sleep(30)`;
setTimeout(() => sleeping.cancel(), 500);
await fails(sleeping);
show(await sql`select 'alive' as a`);
await other.end();
await sql.end();
