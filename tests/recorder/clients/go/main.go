// The scenario of clients_test.py with pgx (argument "pgx") and lib/pq ("pq").
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/lib/pq"
)

const table = "create table t (id int primary key, v text, n numeric, at timestamptz, b bytea, j jsonb)"

var background = context.Background()

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func show(words ...any) { fmt.Println(words...) }

func failing(_ any, err error) {
	var one *pgconn.PgError
	var other *pq.Error
	if errors.As(err, &one) {
		show(one.Severity, one.Code, one.Message, one.Detail, one.Position, one.Where, one.ConstraintName, one.Routine)
	} else if errors.As(err, &other) {
		show(other.Severity, other.Code, other.Message, other.Detail, other.Position, other.Where, other.Constraint, other.Routine)
	} else {
		show("error", err)
	}
}

func withPgx(url string) {
	config := must(pgx.ParseConfig(url))
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { show("notice", n.Severity, n.Code, n.Message) }
	one := must(pgx.ConnectConfig(background, config))
	run := func(sql string, values ...any) pgconn.CommandTag { return must(one.Exec(background, sql, values...)) }
	rows := func(sql string, values ...any) {
		show(must(pgx.CollectRows(must(one.Query(background, sql, values...)), pgx.RowToMap)))
	}
	run(table)
	run("create table if not exists t (id int)")
	batch := &pgx.Batch{}
	for id := range 8 {
		batch.Queue("insert into t values ($1, $2, $3, $4, $5, $6)", id, fmt.Sprint("ä", id), "1.50", time.Unix(0, 0).UTC(), []byte{0, 255}, `{"k": 1}`)
	}
	failing(nil, one.SendBatch(background, batch).Close())
	rows("select id, v, n::text, b, j from t where id < $1 order by id", 3)
	show(run(""))
	tx := must(one.Begin(background))
	must(tx.Exec(background, "update t set v = 'x' where id < 3"))
	inner := must(tx.Begin(background))
	failing(inner.Exec(background, "select 1/$1::int", 0))
	failing(inner.Exec(background, "select 2"))
	failing(nil, inner.Rollback(background))
	must(tx.Exec(background, "create index on t (v)"))
	show(string(one.PgConn().TxStatus()))
	failing(nil, tx.Commit(background))
	failing(one.Exec(background, "insert into t (id) values ($1)", 1))
	failing(one.Exec(background, "select * from missing"))
	run("do $$ begin raise notice 'hello'; raise warning 'careful'; end $$")
	show(run("select 1; alter table t add column extra int default 7; select 2"))
	failing(one.Exec(background, "select 1; select 1/0; select 3"))
	batch = &pgx.Batch{}
	batch.Queue("insert into t (id) values (50)")
	batch.Queue("insert into t (id) values (50)")
	batch.Queue("insert into t (id) values (51)")
	failing(nil, one.SendBatch(background, batch).Close())
	tx = must(one.Begin(background))
	must(tx.Exec(background, "create table filled (id int, v text)"))
	show(must(tx.CopyFrom(background, pgx.Identifier{"t"}, []string{"id", "v"}, pgx.CopyFromRows([][]any{{100, "one"}, {101, "two"}}))))
	var out strings.Builder
	show(must(one.PgConn().CopyTo(background, &out, "copy (select id, v, extra from t order by id) to stdout")), out.String())
	failing(nil, tx.Commit(background))
	failing(one.PgConn().CopyFrom(background, strings.NewReader("no number\n"), "copy t (id) from stdin"))
	run("alter table t drop column j")
	rows("select length($1::text)", strings.Repeat("é", 1_200_000))
	show(len(must(pgx.CollectRows(must(one.Query(background, "select i, repeat('x', 100) from generate_series(1, 20000) i")), pgx.RowToMap))))

	other := must(pgx.Connect(background, url))
	must(other.Exec(background, "listen bell"))
	run("notify bell, 'ding'")
	bell := must(other.WaitForNotification(background))
	show(bell.Channel, bell.Payload)
	time.AfterFunc(500*time.Millisecond, func() { _ = other.PgConn().CancelRequest(background) })
	failing(other.Exec(background, "select pg_sleep(30)"))
	show(must(other.Exec(background, "select 'alive'")))
	failing(nil, other.Close(background))
	failing(nil, one.Close(background))
}

func withPq(url string) {
	connector := pq.ConnectorWithNoticeHandler(must(pq.NewConnector(url)), func(n *pq.Error) { show("notice", n.Severity, n.Code, n.Message) })
	one := sql.OpenDB(connector)
	one.SetMaxOpenConns(1)
	rows := func(query string, values ...any) {
		found := must(one.Query(query, values...))
		for found.Next() {
			var id int
			var v sql.NullString
			failing(nil, found.Scan(&id, &v))
			show(id, v)
		}
	}
	must(one.Exec(table))
	must(one.Exec("create table if not exists t (id int)"))
	fill := must(one.Prepare("insert into t values ($1, $2, $3, $4, $5, $6)"))
	for id := range 8 {
		must(fill.Exec(id, fmt.Sprint("ä", id), "1.50", time.Unix(0, 0).UTC(), []byte{0, 255}, `{"k": 1}`))
	}
	rows("select id, v from t where id < $1 order by id", 3)
	must(one.Exec(""))
	tx := must(one.Begin())
	must(tx.Exec("update t set v = 'x' where id < 3"))
	must(tx.Exec("savepoint s"))
	failing(tx.Exec("select 1/$1::int", 0))
	must(tx.Exec("rollback to savepoint s"))
	must(tx.Exec("create index on t (v)"))
	must(tx.Stmt(fill).Exec(60, "in", nil, nil, nil, nil))
	failing(nil, tx.Commit())
	failing(one.Exec("insert into t (id) values (1)"))
	failing(one.Exec("select * from missing"))
	must(one.Exec("do $$ begin raise notice 'hello'; raise warning 'careful'; end $$"))
	must(one.Exec("select 1; alter table t add column extra int default 7; select 2"))
	failing(one.Exec("select 1; select 1/0; select 3"))
	for _, value := range []string{"100", "no number"} {
		tx = must(one.Begin())
		must(tx.Exec("create table filled_" + value[:2] + " (id int)"))
		copying := must(tx.Prepare(pq.CopyIn("t", "id")))
		must(copying.Exec(value))
		failing(copying.Exec())
		failing(nil, copying.Close())
		failing(nil, tx.Commit())
	}
	rows("select id, v from t order by id")
	must(one.Exec("alter table t drop column j"))
	rows("select length($1), null::text", strings.Repeat("é", 1_200_000))
	timeout, stop := context.WithTimeout(background, 500*time.Millisecond)
	defer stop()
	_, err := one.ExecContext(timeout, "select pg_sleep(30)")
	failing(nil, err)
	listener := pq.NewListener(url, time.Second, time.Second, nil)
	failing(nil, listener.Listen("bell"))
	must(one.Exec("notify bell, 'ding'"))
	bell := <-listener.Notify
	show(bell.Channel, bell.Extra)
	failing(nil, listener.Close())
	failing(nil, one.Close())
}

func main() {
	map[string]func(string){"pgx": withPgx, "pq": withPq}[os.Args[1]](os.Args[2])
}
