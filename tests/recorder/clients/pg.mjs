// The scenario of clients_test.py with node-postgres: simple and extended protocol, and pg-cursor, which
// keeps a portal open over several Flushes.
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const pg = require("pg");
const Cursor = require("pg-cursor");

const show = (...words) => console.log(JSON.stringify(words));
const options = { connectionString: process.argv[2] };
if (process.argv[3] === "insist") {
  options.connectionString = options.connectionString.replace(/sslmode=\w+/, "");
  options.ssl = { rejectUnauthorized: false };
}
async function connect() {
  const client = new pg.Client(options);
  await client.connect();
  client.on("notice", (n) => show("notice", n.severity, n.code, n.message));
  return client;
}
async function failing(client, ...query) {
  try {
    show("no error", (await client.query(...query)).rows);
  } catch (error) {
    const { severity, code, message, detail, position, where, table, constraint, routine } = error;
    show({ severity, code, message, detail, position, where, table, constraint, routine });
  }
}

const one = await connect();
await one.query("create table t (id int primary key, v text, n numeric, at timestamptz, b bytea, j jsonb)");
await one.query("create table if not exists t (id int)");
for (let id = 0; id < 8; id++) {
  await one.query("insert into t values ($1, $2, $3, $4, $5, $6)",
    [id, `ä${id}`, "1.50", new Date(0), Buffer.from([0, 255]), { k: id }]);
}
show((await one.query("select * from t where id < $1 order by id", [3])).rows);
show(await one.query("").then((r) => [r.command, r.rowCount]));
await one.query("begin");
await one.query("update t set v = 'x' where id < 3");
show((await one.query({ name: "named", text: "select v from t where id = $1", values: [1] })).rows);
await one.query("savepoint s");
await failing(one, "select 1/0");
await failing(one, "select 2");
await one.query("rollback to savepoint s");
await one.query("create index on t (v)");
show((await one.query({ name: "named", text: "select v from t where id = $1", values: [2] })).rows);
await one.query("commit");
await failing(one, "insert into t (id) values ($1)", [1]);
await failing(one, "select * from missing");
await one.query("do $$ begin raise notice 'hello'; raise warning 'careful'; end $$");
show((await one.query("select 1 as a; alter table t add column extra int default 7; select 2 as b")).map((r) => [r.command, r.rows]));
await failing(one, "select 1; select 1/0; select 3");

for (const inside of [false, true]) {
  if (inside) { await one.query("begin"); await one.query("update t set n = n + 1"); }
  const cursor = one.query(new Cursor("select id from t order by id"));
  show(await cursor.read(3));
  show(await cursor.read(2));
  await cursor.close();
  if (inside) await one.query("commit");
}

// COPY is not part of the driver: its messages by hand, as pg-copy-streams sends them.
const copy = (sql, chunks, fail) => new Promise((resolve, reject) => {
  const out = [];
  one.query({
    submit(connection) { connection.query(sql); },
    handleCopyInResponse(connection) {
      for (const chunk of chunks) connection.sendCopyFromChunk(Buffer.from(chunk));
      if (fail) connection.sendCopyFail("changed my mind"); else connection.endCopyFrom();
    },
    handleCopyData(message) { out.push(message.chunk.toString()); },
    handleRowDescription() {}, handleDataRow() {}, handlePortalSuspended() {},
    handleCommandComplete(message) { out.push(message.text); },
    handleReadyForQuery() { resolve(out); },
    handleError(error) { this.error = error; reject(error); },
  });
});
await one.query("begin");
await one.query("create table filled (id int)");
show(await copy("copy t (id, v) from stdin", ["100\tone\n", "101\ttwo\n"]));
show(await copy("copy (select id, v, extra from t order by id) to stdout", []));
await one.query("commit");
await copy("copy t (id) from stdin", ["no number\n"]).catch((error) => show(error.code, error.where));
await copy("copy t (id) from stdin", ["500\n"], true).catch((error) => show(error.code, error.message));
show((await one.query("select count(*) from t")).rows);
await one.query("alter table t drop column j");
show((await one.query("select length($1::text)", ["é".repeat(1200000)])).rows);
show((await one.query("select i, repeat('x', 100) from generate_series(1, 20000) i")).rows.length);

const other = await connect();
await other.query("listen bell");
const rung = new Promise((resolve) => other.on("notification", (n) => resolve([n.channel, n.payload])));
await one.query("notify bell, 'ding'");
show(await rung);
const sleeping = failing(other, "select pg_sleep(30)");
setTimeout(() => one.query("select pg_cancel_backend($1)", [other.processID]), 500);
await sleeping;
show((await other.query("select 'alive' as a")).rows);
await other.end();
await one.end();
