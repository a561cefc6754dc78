module.exports = {
  up: (queryInterface, Sequelize) =>
    queryInterface.createTable("customers", {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
      email: { type: Sequelize.TEXT, allowNull: false },
    }),
  down: (queryInterface) => queryInterface.dropTable("customers"),
};
