module.exports = class AddNickname1767312000000 {
  async up(queryRunner) {
    await queryRunner.query(`ALTER TABLE customers ADD COLUMN nickname text`);
  }

  async down(queryRunner) {
    await queryRunner.query(`ALTER TABLE customers DROP COLUMN nickname`);
  }
};
