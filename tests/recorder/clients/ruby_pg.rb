# The scenario of clients_test.py with ruby-pg: libpq's functions, one by one.
require "pg"

def show(*words) = puts(words.inspect)

def failing
  yield
rescue PG::Error => error
  fields = error.result ? "SVCMDPWstcnR".chars.map { |c| error.result.error_field(c.ord) } : []
  show(error.class.name, fields, error.message)
end

url = ARGV[0]
one = PG.connect(url)
one.set_notice_processor { |text| show("notice", text) }
one.exec("create table t (id int primary key, v text, n numeric, at timestamptz, b bytea, j jsonb)")
one.exec("create table if not exists t (id int)")
one.prepare("fill", "insert into t values ($1, $2, $3, $4, $5, $6)")
8.times do |id|
  one.exec_prepared("fill", [id, "ä#{id}", "1.50", "2026-01-02 03:04:05Z", { value: "\0\xff".b, format: 1 }, '{"k": 1}'])
end
show(one.exec_params("select * from t where id < $1 order by id", [3]).values)
show(one.exec("").result_status)
show(one.describe_prepared("fill").nparams)
one.exec("begin")
one.exec("update t set v = 'x' where id < 3")
show(one.exec_params("select v from t where id = $1", [1]).values, one.transaction_status)
one.exec("savepoint s")
failing { one.exec_params("select 1/$1::int", [0]) }
failing { one.exec("select 2") }
show(one.transaction_status)
one.exec("rollback to savepoint s")
one.exec("create index on t (v)")
show(one.exec_prepared("fill", [50, nil, nil, nil, nil, nil]).cmd_status)
one.exec("commit")
failing { one.exec("insert into t (id) values (1)") }
failing { one.exec("select * from missing") }
one.exec("do $$ begin raise notice 'hello'; raise warning 'careful'; end $$")
show(one.exec("select 1 as a; alter table t add column extra int default 7; select 2 as b").values)
one.send_query("select 1; select 1/0; select 3")
while (result = one.get_result) do show(result.result_status, result.error_field(PG::PG_DIAG_SQLSTATE)) end

one.transaction do
  one.exec("create table filled (id int)")
  one.copy_data("copy t (id, v) from stdin") { one.put_copy_data("100\tone\n"); one.put_copy_data("101\ttwo\n") }
  out = []
  one.copy_data("copy (select id, v, extra from t order by id) to stdout") { while (row = one.get_copy_data) do out << row end }
  show(out)
end
failing { one.copy_data("copy t (id) from stdin") { one.put_copy_data("no number\n") } }
begin
  one.copy_data("copy t (id) from stdin") { one.put_copy_data("500\n"); raise "changed my mind" }
rescue RuntimeError => error
  show(error.message)
end
one.discard_results
one.send_query("select id from t order by id")
one.set_single_row_mode
show(one.get_result.stream_each_row.to_a.length)
one.discard_results
one.enter_pipeline_mode
one.send_query_params("select $1::int", [1])
one.send_query_params("select 1/$1::int", [0])
one.send_query_params("select 'skipped'", [])
one.pipeline_sync
one.send_query_params("select 'after'", [])
one.pipeline_sync
11.times { result = one.get_result; show(result && [result.result_status, result.ntuples]) }
one.exit_pipeline_mode
one.exec("alter table t drop column j")
show(one.exec_params("select length($1)", ["é" * 1_200_000]).values)
show(one.exec("select i, repeat('x', 100) from generate_series(1, 20000) i").ntuples)

other = PG.connect(url)
other.exec("listen bell")
one.exec("notify bell, 'ding'")
other.wait_for_notify(10) { |channel, _, payload| show(channel, payload) }
other.send_query("select pg_sleep(30)")
sleep 0.5
other.cancel
failing { other.get_last_result }
show(other.exec("select 'alive'").values)
other.close
one.close
