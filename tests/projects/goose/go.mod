module example.com/shop

go 1.22

require (
	github.com/jackc/pgx/v5 v5.7.1
	github.com/pressly/goose/v3 v3.24.1
)
