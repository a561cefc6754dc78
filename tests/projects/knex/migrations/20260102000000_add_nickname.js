exports.up = (knex) => knex.schema.alterTable("customers", (table) => table.text("nickname"));

exports.down = (knex) => knex.schema.alterTable("customers", (table) => table.dropColumn("nickname"));
