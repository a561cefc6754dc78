module.exports = class CreateCustomers1767225600000 {
  async up(queryRunner) {
    await queryRunner.query(`CREATE TABLE customers (id serial PRIMARY KEY, email text NOT NULL)`);
  }

  async down(queryRunner) {
    await queryRunner.query(`DROP TABLE customers`);
  }
};
