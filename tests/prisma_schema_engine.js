// A stand-in for Prisma's schema engine, for machines that cannot download the native one: the same engine,
// compiled to WebAssembly (npm: @prisma/schema-engine-wasm), behind the protocol that the prisma CLI speaks
// to the native program: JSON-RPC, one message a line, on standard input and output. Test equipment only.
//
// PRISMA_ENGINE_MODULES is the node_modules with the packages.
"use strict";

const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");
const { createRequire } = require("node:module");
const { randomUUID } = require("node:crypto");

const MODULES = process.env.PRISMA_ENGINE_MODULES;
const load = createRequire(path.join(MODULES, "x.js"));
const pg = load("pg");

// The adapter does not know Postgres' type "char" (and takes its array for characters, which it is not):
// such columns are read as text, and handed on as characters.
const CHAR = 18;
const AS_TEXT = { [CHAR]: 1042, 1002: 1014 };
const CHARACTER = 6; // ColumnTypeEnum of @prisma/driver-adapter-utils
let characters = new Set(); // names of such columns in the last result

const addFields = pg.Result.prototype.addFields;
pg.Result.prototype.addFields = function (fields) {
  characters = new Set(fields.filter((field) => field.dataTypeID === CHAR).map((field) => field.name));
  for (const field of fields) field.dataTypeID = AS_TEXT[field.dataTypeID] ?? field.dataTypeID;
  return addFields.call(this, fields);
};

function flags(name) {
  return process.argv.flatMap((word, at) => (word === name ? [process.argv[at + 1]] : []));
}

/** Prisma 7 hands the address over as JSON, Prisma 6 as base64 of it, or only through the schema. */
function address() {
  const [given] = flags("--datasource");
  if (given?.startsWith("{")) return JSON.parse(given).url;
  if (given?.startsWith("postgres")) return given;
  if (given) return JSON.parse(Buffer.from(given, "base64").toString()).url;
  for (const schema of flags("--datamodels").map((file) => fs.readFileSync(file, "utf8"))) {
    const block = /datasource\s+\w+\s*\{([^}]*)\}/.exec(schema);
    const url = (block && /\bdirectUrl\s*=\s*(.*)/.exec(block[1])) || (block && /\burl\s*=\s*(.*)/.exec(block[1]));
    const variable = url && /env\("(\w+)"\)/.exec(url[1]);
    if (variable) return process.env[variable[1]];
    if (url) return JSON.parse(url[1]);
  }
  return process.env.DATABASE_URL;
}

/** In parts: node-postgres prefers a connection string to `database`, and shadow databases need that. */
function parts(url) {
  const found = new URL(url);
  return {
    host: found.hostname,
    port: Number(found.port || 5432),
    user: decodeURIComponent(found.username),
    password: decodeURIComponent(found.password),
    database: decodeURIComponent(found.pathname.slice(1)),
  };
}

async function canConnect(options) {
  const client = new pg.Client(options);
  await client.connect();
  await client.end();
}

let refusal; // Postgres' last error: the adapter drops its words

/** Scripts in one simple query, as the native engine does: what fails in the middle is rolled back as a whole. */
function mended(adapter) {
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    const found = await queryRaw(query);
    found.columnTypes = found.columnTypes.map((type, at) => (characters.has(found.columnNames[at]) ? CHARACTER : type));
    return found;
  };
  adapter.executeScript = async (sql) => {
    try {
      await adapter.client.query(sql);
    } catch (error) {
      refusal = error;
      adapter.onError(error);
    }
  };
  return adapter;
}

function factory(options, schema) {
  const { PrismaPg } = load("@prisma/adapter-pg");
  const { bindMigrationAwareSqlAdapterFactory } = load("@prisma/driver-adapter-utils");
  class Factory extends PrismaPg {
    async connect() {
      return mended(await super.connect());
    }
    async connectToShadowDb() {
      const database = `prisma_migrate_shadow_db_${randomUUID()}`;
      const admin = new pg.Client(options);
      await admin.connect();
      await admin.query(`CREATE DATABASE "${database}"`);
      const shadow = mended(await new PrismaPg({ ...options, database }).connect());
      const dispose = shadow.dispose.bind(shadow);
      shadow.dispose = async () => {
        await dispose().catch(() => {});
        await admin.query(`DROP DATABASE IF EXISTS "${database}" WITH (FORCE)`);
        await admin.end();
      };
      return shadow;
    }
  }
  return bindMigrationAwareSqlAdapterFactory(new Factory(options, { schema }));
}

async function engine(url, options) {
  const home = path.join(MODULES, "@prisma/schema-engine-wasm");
  const glue = await import(path.join(home, "schema_engine_bg.js"));
  const wasm = new WebAssembly.Module(fs.readFileSync(path.join(home, "schema_engine_bg.wasm")));
  const instance = new WebAssembly.Instance(wasm, { "./schema_engine_bg.js": glue });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  const datamodels = flags("--datamodels").map((file) => [file, fs.readFileSync(file, "utf8")]);
  const schema = new URL(url).searchParams.get("schema") ?? undefined;
  return glue.SchemaEngine.new({ datamodels: datamodels.length ? datamodels : undefined }, () => {}, factory(options, schema));
}

async function answer(running, { method, params }, options) {
  if (method === "getDatabaseVersion") return running.version(params);
  if (method === "createDatabase") return { databaseName: options.database };
  const result = await running[method](params);
  if (method === "diff" && result?.stdout) say({ id: 1_000_000, method: "print", params: { content: result.stdout } });
  return result ?? null;
}

/** How the native engine words a migration that failed. */
function failedMigration(text) {
  const { code, message, detail, hint, position } = refusal;
  const some = (value) => (value ? `Some(${JSON.stringify(value)})` : "None");
  const at = position ? `Some(Original(${position}))` : "None";
  return [
    "A migration failed to apply. New migrations cannot be applied before the error is recovered from.",
    `Migration name: ${/migration_name="([^"]+)"/.exec(text)?.[1]}`,
    `Database error code: ${code}`,
    `Database error:\nERROR: ${message}${detail ? `\nDETAIL: ${detail}` : ""}${hint ? `\nHINT: ${hint}` : ""}`,
    `DbError { severity: "ERROR", parsed_severity: Some(Error), code: SqlState(E${code}), message: ${JSON.stringify(message)},` +
      ` detail: ${some(detail)}, hint: ${some(hint)}, position: ${at}, where_: ${some(refusal.where)} }`,
  ].join("\n\n");
}

function problem(error, method) {
  const message = String(error.message ?? error);
  if (method !== "applyMigrations" || !refusal) return { is_panic: false, message, error_code: error.code };
  return { is_panic: false, message: failedMigration(message), error_code: "P3018" };
}

function say(message) {
  process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
}

async function serve(url, options) {
  const running = await engine(url, options);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    if (!request.method) continue;
    try {
      say({ id: request.id, result: await answer(running, request, options) });
    } catch (error) {
      const data = problem(error, request.method);
      say({ id: request.id, error: { code: 4466, message: data.message, data } });
    }
  }
}

async function main() {
  const url = address();
  const options = parts(url);
  if (!process.argv.includes("can-connect-to-database")) return serve(url, options);
  try {
    await canConnect(options);
  } catch (error) {
    console.error(JSON.stringify({ is_panic: false, message: error.message, error_code: "P1001" }));
    process.exitCode = 1;
  }
}

main().catch((error) => {
  console.error(JSON.stringify({ level: "ERROR", fields: { message: String(error?.stack ?? error) } }));
  process.exit(1);
});
