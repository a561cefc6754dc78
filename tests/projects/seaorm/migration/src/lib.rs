pub use sea_orm_migration::prelude::*;

mod m20240101_000000_create_customers;
mod m20240102_000000_add_nickname;

pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20240101_000000_create_customers::Migration),
            Box::new(m20240102_000000_add_nickname::Migration),
        ]
    }
}
