// The scenario of clients_test.py with pgjdbc: server-prepared statements, batches, portals by fetch size,
// autosave, the COPY API. Run as a single file: java -cp postgresql.jar Jdbc.java URL USER PASSWORD
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.sql.*;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

public class Jdbc {
    static void show(Object... words) {
        System.out.println(java.util.Arrays.toString(words));
    }

    interface Work { void run() throws Exception; }

    static void failing(Work work) throws Exception {
        try {
            work.run();
        } catch (BatchUpdateException error) {
            show(error.getSQLState(), error.getMessage(), java.util.Arrays.toString(error.getUpdateCounts()));
        } catch (PSQLException error) {
            ServerErrorMessage words = error.getServerErrorMessage();
            show(error.getSQLState(), error.getMessage(), words == null ? "" : words.getDetail() + words.getPosition() + words.getRoutine());
        }
    }

    static void rows(ResultSet found) throws Exception {
        int columns = found.getMetaData().getColumnCount();
        while (found.next()) {
            Object[] row = new Object[columns];
            for (int n = 0; n < columns; n++) row[n] = found.getString(n + 1);
            show(row);
        }
    }

    static void warnings(Statement statement) throws Exception {
        for (SQLWarning each = statement.getWarnings(); each != null; each = each.getNextWarning())
            show("notice", each.getSQLState(), each.getMessage());
        statement.clearWarnings();
    }

    public static void main(String[] argv) throws Exception {
        Properties login = new Properties();
        login.put("user", argv[1]);
        login.put("password", argv[2]);
        login.put("prepareThreshold", "2");
        login.put("autosave", "always");
        Connection one = DriverManager.getConnection(argv[0], login);
        Statement plain = one.createStatement();
        plain.execute("create table t (id int primary key, v text, n numeric, at timestamptz, b bytea, j jsonb)");
        plain.execute("create table if not exists t (id int)");
        warnings(plain);
        try (PreparedStatement fill = one.prepareStatement("insert into t values (?, ?, ?, ?, ?, ?::jsonb)")) {
            for (int id = 0; id < 8; id++) {
                fill.setInt(1, id);
                fill.setString(2, "ä" + id);
                fill.setBigDecimal(3, new java.math.BigDecimal("1.50"));
                fill.setObject(4, java.time.OffsetDateTime.parse("2026-01-02T03:04:05Z"));
                fill.setBytes(5, new byte[] {0, -1});
                fill.setString(6, "{\"k\": 1}");
                if (id < 4) fill.executeUpdate(); else fill.addBatch();
            }
            show(java.util.Arrays.toString(fill.executeBatch()));
        }
        rows(plain.executeQuery("select * from t order by id"));
        plain.execute("");
        one.setAutoCommit(false);
        plain.executeUpdate("update t set v = 'x' where id < 3");
        Savepoint mark = one.setSavepoint();
        failing(() -> plain.execute("select 1/0"));
        rows(plain.executeQuery("select 'goes on because of autosave'"));
        one.rollback(mark);
        plain.execute("create index on t (v)");
        try (PreparedStatement read = one.prepareStatement("select v from t where id = ?")) {
            for (int id = 0; id < 5; id++) {
                read.setInt(1, id);
                rows(read.executeQuery());
            }
        }
        try (Statement paged = one.createStatement()) {
            paged.setFetchSize(3);
            ResultSet found = paged.executeQuery("select id from t order by id");
            for (int n = 0; n < 4; n++) { found.next(); show(found.getInt(1)); }
            plain.executeUpdate("update t set n = n + 1");
            rows(found);
        }
        one.commit();
        failing(() -> plain.execute("insert into t (id) values (1)"));
        one.rollback();
        one.setAutoCommit(true);
        failing(() -> plain.execute("select * from missing"));
        plain.execute("do $$ begin raise notice 'hello'; raise warning 'careful'; end $$");
        warnings(plain);
        boolean more = plain.execute("select 1 as a; alter table t add column extra int default 7; select 2 as b");
        for (; more || plain.getUpdateCount() != -1; more = plain.getMoreResults())
            if (more) rows(plain.getResultSet()); else show(plain.getUpdateCount());
        failing(() -> plain.execute("select 1; select 1/0; select 3"));
        failing(() -> {
            try (PreparedStatement batch = one.prepareStatement("insert into t (id) values (?)")) {
                for (int id : new int[] {50, 51, 50, 52}) { batch.setInt(1, id); batch.addBatch(); }
                batch.executeBatch();
            }
        });
        CopyManager copy = one.unwrap(PGConnection.class).getCopyAPI();
        one.setAutoCommit(false);
        plain.execute("create table filled (id int)");
        show(copy.copyIn("copy t (id, v) from stdin", new ByteArrayInputStream("100\tone\n101\ttwo\n".getBytes())));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        show(copy.copyOut("copy (select id, v, extra from t order by id) to stdout", out), out.toString());
        one.commit();
        one.setAutoCommit(true);
        failing(() -> copy.copyIn("copy t (id) from stdin", new ByteArrayInputStream("no number\n".getBytes())));
        failing(() -> { var in = copy.copyIn("copy t (id) from stdin"); in.writeToCopy("500\n".getBytes(), 0, 4); in.cancelCopy(); });
        plain.execute("alter table t drop column j");
        try (PreparedStatement large = one.prepareStatement("select length(?)")) {
            large.setString(1, "é".repeat(1_200_000));
            rows(large.executeQuery());
        }
        ResultSet many = plain.executeQuery("select i, repeat('x', 100) from generate_series(1, 20000) i");
        int count = 0;
        while (many.next()) count++;
        show(count);

        Connection other = DriverManager.getConnection(argv[0], login);
        Statement listening = other.createStatement();
        listening.execute("listen bell");
        plain.execute("notify bell, 'ding'");
        for (var each : other.unwrap(PGConnection.class).getNotifications(10_000)) show(each.getName(), each.getParameter());
        listening.setQueryTimeout(1);
        failing(() -> listening.execute("select pg_sleep(30)"));
        rows(listening.executeQuery("select 'alive'"));
        other.close();
        one.close();
    }
}
