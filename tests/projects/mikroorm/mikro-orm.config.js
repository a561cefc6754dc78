const { EntitySchema } = require("@mikro-orm/core");
const { Migrator } = require("@mikro-orm/migrations");
const { defineConfig } = require("@mikro-orm/postgresql");

const Customer = new EntitySchema({
  name: "Customer",
  tableName: "customers",
  properties: {
    id: { type: "number", primary: true },
    email: { type: "text" },
    nickname: { type: "text", nullable: true },
  },
});

module.exports = defineConfig({
  clientUrl: process.env.DATABASE_URL,
  entities: [Customer],
  extensions: [Migrator],
  migrations: { path: "migrations" },
});
