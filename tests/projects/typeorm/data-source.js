const { DataSource } = require("typeorm");

module.exports.dataSource = new DataSource({
  type: "postgres",
  url: process.env.DATABASE_URL,
  migrations: ["migrations/*.js"],
});
