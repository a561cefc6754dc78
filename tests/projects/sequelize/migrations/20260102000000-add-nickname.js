module.exports = {
  up: (queryInterface, Sequelize) => queryInterface.addColumn("customers", "nickname", Sequelize.TEXT),
  down: (queryInterface) => queryInterface.removeColumn("customers", "nickname"),
};
