const { Migration } = require("@mikro-orm/migrations");

class Migration20260101000000 extends Migration {
  async up() {
    this.addSql(`create table "customers" ("id" serial primary key, "email" text not null);`);
  }

  async down() {
    this.addSql(`drop table "customers";`);
  }
}

module.exports = { Migration20260101000000 };
