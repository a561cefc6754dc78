exports.up = (knex) =>
  knex.schema.createTable("customers", (table) => {
    table.increments("id");
    table.text("email").notNullable();
  });

exports.down = (knex) => knex.schema.dropTable("customers");
