exports.up = (pgm) => {
  pgm.createTable("customers", {
    id: "id",
    email: { type: "text", notNull: true },
  });
};

exports.down = (pgm) => pgm.dropTable("customers");
