const { Migration } = require("@mikro-orm/migrations");

class Migration20260102000000 extends Migration {
  async up() {
    this.addSql(`alter table "customers" add column "nickname" text;`);
  }

  async down() {
    this.addSql(`alter table "customers" drop column "nickname";`);
  }
}

module.exports = { Migration20260102000000 };
