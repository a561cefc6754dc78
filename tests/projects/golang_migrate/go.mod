module example.com/shop

go 1.22

require (
	github.com/jackc/pgx/v5 v5.7.1
	github.com/golang-migrate/migrate/v4 v4.18.1
)
