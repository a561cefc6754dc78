"""The driver shim for Node with real drivers: whatever a program asks for, it gets the test database."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.facts import ToolRun
from neon_hooks.plan import Command
from neon_hooks.run import execute, resolve
from tests.fix_systems import Postgres, tables
from tests.fix_tools import node_modules

MAKE = "CREATE TABLE made (id int)"
# (file name, text); {url}, {host}, ...: production's, as a careless program has them in its code.
WAYS = {
    "pg, required": ("p.cjs", """
        const {{ Client }} = require('pg')
        const c = new Client('{url}')
        c.connect().then(() => c.query('{make}')).then(() => c.end())
    """),
    "pg, imported": ("p.mjs", """
        import pg from 'pg'
        const c = new pg.Client({{ connectionString: '{url}' }})
        await c.connect(); await c.query('{make}'); await c.end()
    """),
    "pg, imported by name, parts": ("p.mjs", """
        import {{ Client }} from 'pg'
        const c = new Client({{ host: '{host}', port: {port}, user: '{user}', database: '{database}', password: 'x' }})
        await c.connect(); await c.query({{ text: '{make}' }}); await c.end()
    """),
    "pg, a pool and callbacks": ("p.cjs", """
        const pool = new (require('pg').Pool)({{ connectionString: '{url}', max: 1 }})
        pool.query('{make}', (error, result) => {{ if (error) throw error; pool.end() }})
    """),
    "pg, a client with a stream of its own": ("p.cjs", """
        const net = require('net')
        class Tunnel extends net.Socket {{ connect() {{ return super.connect({port}, '{host}') }} }}
        const c = new (require('pg').Client)({{ database: '{database}', stream: () => new Tunnel() }})
        c.connect().then(() => c.query('{make}')).then(() => c.end())
    """),
    "pg, in a program that the tool starts": ("p.cjs", """
        const child = "const c = new (require('pg').Client)('{url}'); c.connect().then(() => c.query('{make}')).then(() => c.end())"
        process.exit(require('child_process').spawnSync(process.execPath, ['-e', child], {{ stdio: 'inherit' }}).status)
    """),
    "postgres.js, required": ("p.cjs", """
        const sql = require('postgres')('{url}')
        sql`CREATE TABLE made (id int)`.then(() => sql.end())
    """),
    "postgres.js, imported": ("p.mjs", """
        import postgres from 'postgres'
        const sql = postgres({{ host: '{host}', port: {port}, database: '{database}', username: '{user}', max: 1 }})
        await sql.begin(async (sql) => {{ await sql.unsafe('{make}') }})
        await sql.end()
    """),
}  # fmt: skip


@dataclass
class Programs:
    directory: Path

    def run(self, name: str, text: str, dsn: Dsn, environ: dict[str, str] | None = None) -> ToolRun:
        (self.directory / name).write_text(dedent(text))
        prepared = resolve(
            Command(("node", name), "node"), checkout=self.directory, top=self.directory, root="",
            environ={"PATH": os.environ["PATH"], **(environ or {})},
        )  # fmt: skip
        return execute(prepared, dsn=dsn, deadline=Deadline.after(60), redact=lambda text: text)


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    if not shutil.which("node"):
        pytest.skip("needs node")
    (tmp_path / "node_modules").symlink_to(node_modules("drivers"))
    return Programs(tmp_path)


@pytest.mark.parametrize("way", WAYS)
def test_a_program_with_productions_address_in_its_code_works_on_the_test_database(
    way: str, programs: Programs, postgres: Postgres
) -> None:
    production, test = postgres.database(), postgres.database()
    name, text = WAYS[way]
    place = {
        "url": production.uri(), "host": production.host, "port": production.port, "user": production.user,
        "database": production.database, "make": MAKE,
    }  # fmt: skip
    run = programs.run(name, text.format(**place), test)
    assert run.exit_code == 0, run.output
    assert tables(test) == {"made"}
    assert tables(production) == set(), "production was written to"
    assert run.redirected and run.connections
    assert any(statement.sql == MAKE for statement in run.statements)


DRIVERS = {
    "pg": """
        const client = new (require('pg').Client)('postgresql://nowhere.invalid/x')
        const connected = client.connect()
        const run = async (sql, params) => { await connected; return client.query(sql, params) }
        const end = () => client.end()
    """,
    "postgres.js": """
        const client = require('postgres')('postgresql://nowhere.invalid/x', { max: 1 })
        const run = (sql, params) => client.unsafe(sql, params)
        const end = () => client.end()
    """,
}
TABLE = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)"


@pytest.mark.parametrize("driver", DRIVERS)
def test_what_postgres_says_about_an_error_is_kept(driver: str, programs: Programs, postgres: Postgres) -> None:
    text = DRIVERS[driver] + "        run('INSERT INTO t VALUES (1)').then(end)\n"
    run = programs.run("p.cjs", text, postgres.database(TABLE))
    assert run.exit_code == 1  # an error that nobody catches ends Node, as without us
    assert run.failed and run.failed.error and run.failed.sql == "INSERT INTO t VALUES (1)"
    assert (run.failed.error.sqlstate, run.failed.error.detail) == ("23505", "Key (id)=(1) already exists.")
    assert 'violates unique constraint "t_pkey"' in run.failed.error.message
    assert len([each for each in run.statements if each.sql == run.failed.sql]) == 1


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_hint_a_position_and_the_place_in_the_project_are_kept(
    driver: str, programs: Programs, postgres: Postgres
) -> None:
    text = DRIVERS[driver] + "        run('SELECT uppper($1::text)', ['a']).catch(() => end())\n"
    run = programs.run("p.cjs", text, postgres.database())
    assert run.exit_code == 0, run.output
    failed = next(statement for statement in run.statements if statement.error)
    assert failed.error and (failed.error.sqlstate, failed.error.position) == ("42883", 8)
    assert failed.error.hint and failed.params == '["a"]'
    if driver == "pg":  # postgres.js sends when its caller is long gone
        assert failed.frames and failed.frames[0][0] == "p.cjs"


@pytest.mark.parametrize("driver", DRIVERS)
def test_statements_of_one_transaction_share_a_number(driver: str, programs: Programs, postgres: Postgres) -> None:
    work = """
        const all = async () => {
          await run('BEGIN'); await run('UPDATE t SET id = 2'); await run('COMMIT'); await run('BEGIN'); await run('SELECT 2')
          await run('COMMIT'); await end()
        }
        all()
    """
    if driver == "postgres.js":
        work = """
        const all = async () => {
          await client.begin(async (sql) => { await sql.unsafe('UPDATE t SET id = 2') })
          await client.begin(async (sql) => { await sql.unsafe('SELECT 2') }); await end()
        }
        all()
    """
    run = programs.run("p.cjs", DRIVERS[driver] + work, postgres.database(TABLE))
    assert run.exit_code == 0, run.output
    numbers = {statement.sql: statement.transaction for statement in run.statements}
    assert 0 < numbers["UPDATE t SET id = 2"] < numbers["SELECT 2"]


def test_cursors_and_several_statements_in_one_text_are_noted(programs: Programs, postgres: Postgres) -> None:
    text = DRIVERS["pg"] + """
        const Cursor = require('pg-cursor')
        const all = async () => {
          await run('CREATE TABLE a (id int); INSERT INTO a SELECT generate_series(1, 5)')
          const cursor = client.query(new Cursor('SELECT * FROM a'))
          while ((await cursor.read(2)).length);
          await end()
        }
        all()
    """
    run = programs.run("p.cjs", text, postgres.database())
    assert run.exit_code == 0, run.output
    assert [(s.sql, s.rows) for s in run.statements if s.sql.startswith("CREATE")] == [
        ("CREATE TABLE a (id int); INSERT INTO a SELECT generate_series(1, 5)", 5)
    ]
    assert any(s.sql == "SELECT * FROM a" for s in run.statements)


ELSEWHERE = {
    "a copy of a driver in a bundle": """
        const socket = require('net').connect({{ host: '127.0.0.1', port: {port} }})
        socket.on('error', (error) => {{ console.log(error.message); process.exit(3) }})
        const packet = Buffer.alloc(8); packet.writeInt32BE(8, 0); packet.writeInt32BE(80877103, 4)
        socket.write(packet); socket.on('data', () => process.exit(0))
    """,
    "Neon's driver over HTTP": """
        const {{ neon }} = require('@neondatabase/serverless')
        require('@neondatabase/serverless').neonConfig.fetchEndpoint = 'http://127.0.0.1:{port}/sql'
        neon('postgresql://app:x@production.example.com/shop')`SELECT 1`
          .then(() => process.exit(0), (error) => {{ console.log(error.message, error.sourceError && error.sourceError.cause); process.exit(3) }})
    """,
    "Neon's driver over a WebSocket": """
        const {{ Client, neonConfig }} = require('@neondatabase/serverless')
        Object.assign(neonConfig, {{ webSocketConstructor: require('ws'), wsProxy: '127.0.0.1:{port}/v2', useSecureWebSocket: false }})
        neonConfig.wsProxy = (host, port) => `127.0.0.1:{port}/v2?address=${{host}}:${{port}}`
        const c = new Client('postgresql://app:x@production.example.com/shop')
        c.on('error', () => {{}})
        c.connect().then(() => process.exit(0), (error) => {{ console.log(error.message); process.exit(3) }})
        setTimeout(() => process.exit(3), 3000)
    """,
}  # fmt: skip


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """Somebody else's server: its port, and what it was sent."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        stop = threading.Event()

        def listen() -> None:
            while not stop.is_set():
                with suppress(TimeoutError):
                    connection, _ = server.accept()
                    connection.settimeout(2)
                    with connection, suppress(OSError):
                        received.append(connection.recv(1000))

        thread = threading.Thread(target=listen)
        thread.start()
        yield server.getsockname()[1], received
        stop.set()
        thread.join()


@pytest.mark.parametrize("way", ELSEWHERE)
def test_what_cannot_be_redirected_is_refused_before_a_byte_leaves(
    way: str, programs: Programs, postgres: Postgres, listener: tuple[int, list[bytes]]
) -> None:
    port, received = listener
    run = programs.run("p.cjs", ELSEWHERE[way].format(port=port), postgres.database())
    assert run.exit_code == 3, run.output
    assert not run.redirected
    assert not b"".join(received)


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[tuple[int, list[bytes]]]:
    """A server that speaks TLS with a certificate that nobody has signed: its port, and what it was told."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            connection.settimeout(5)
            with connection, suppress(OSError):
                connection.recv(8)
                connection.sendall(b"S")
                with context.wrap_socket(connection, server_side=True) as encrypted:
                    told.append(encrypted.recv(1000))

        thread = threading.Thread(target=answer)
        thread.start()
        yield server.getsockname()[1], told
        thread.join()


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_that_cannot_prove_who_it_is_gets_no_password(
    driver: str, programs: Programs, impostor: tuple[int, list[bytes]]
) -> None:
    """Even where the project switches the check off."""
    port, told = impostor
    text = DRIVERS[driver].replace("'postgresql://nowhere.invalid/x'", "{ ssl: { rejectUnauthorized: false }, max: 1 }")
    text = text.replace(", { max: 1 }", "") + "        connected && connected.catch(() => {}); run('SELECT 1').then(end)\n"
    text = text if driver == "pg" else text.replace("connected && connected.catch(() => {}); ", "")
    run = programs.run("p.cjs", text, Dsn("localhost", "shop", "app", "x", port, {"sslmode": "require"}))
    assert run.exit_code == 1
    assert "self-signed certificate" in run.output or "self signed certificate" in run.output, run.output
    assert b"".join(told) == b""


def test_other_connections_are_left_alone(programs: Programs, postgres: Postgres) -> None:
    text = """
        const http = require('http')
        const server = http.createServer((request, response) => response.end('hello')).listen(0, '127.0.0.1', async () => {
          const { port } = server.address()
          const answer = await fetch(`http://127.0.0.1:${port}/sql`, { method: 'POST', body: 'x' })
          console.log(await answer.text())
          http.get({ port, host: '127.0.0.1' }, (r) => r.on('data', (d) => { console.log(String(d)); process.exit() }))
        })
    """
    run = programs.run("p.cjs", text, postgres.database())
    assert run.output.split() == ["hello", "hello"]
    assert run.redirected


def test_options_of_node_that_are_set_already_stay(programs: Programs, postgres: Postgres) -> None:
    run = programs.run(
        "p.cjs", "console.log(process.env.NODE_OPTIONS)", postgres.database(), {"NODE_OPTIONS": "--max-old-space-size=512"}
    )
    assert run.output.startswith("--max-old-space-size=512 --require ")
    assert run.redirected


def test_a_project_without_a_driver_is_not_disturbed(tmp_path: Path, postgres: Postgres) -> None:
    run = Programs(tmp_path).run("p.mjs", "console.log('hello')", postgres.database())
    assert (run.output, run.exit_code, run.redirected) == ("hello\n", 0, True)
