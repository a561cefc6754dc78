"""TLS on both sides of the recorder: verified towards the server, granted to a tool that insists on it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from neon_hooks.dsn import Dsn
from neon_hooks.errors import UsageError
from neon_hooks.recorder import Recorder
from neon_hooks.recorder.scram import normalized
from tests.fix_systems import Postgres
from tests.recorder.clients_test import CANCEL_NOTHING, FAMILIES, INSISTING
from tests.recorder.fix_tls import Authority, Front, debian_postgres, server_context


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def over_tls(authority: Authority) -> Iterator[Dsn]:
    """A real server that offers channel binding."""
    with debian_postgres(authority) as dsn:
        yield dsn


def verified(dsn: Dsn, authority: Authority, mode: str = "verify-full") -> Dsn:
    return dsn.with_params(sslmode=mode, sslrootcert=str(authority.root))


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_the_server_is_verified_and_told_its_name(postgres: Postgres, authority: Authority, mode: str) -> None:
    with Front(postgres.database(), server_context(authority.certificate("localhost"))) as front:
        with Recorder(verified(front.dsn, authority, mode)) as recorder:
            with psycopg.connect(recorder.dsn.uri()) as connection:
                assert connection.execute("select 1").fetchone() == (1,)
    assert front.names == ["localhost"]


def refused(dsn: Dsn) -> str:
    """What a tool is told; the recording has it too."""
    with Recorder(dsn, patience=3) as recorder:
        with pytest.raises(psycopg.OperationalError) as raised:
            psycopg.connect(recorder.dsn.uri())
    (peer,) = recorder.recording.peers
    assert f"neon-hooks cannot connect to {dsn.host}: {peer.refused}" in str(raised.value)
    assert recorder.recording.troubles == []
    return peer.refused


def test_a_certificate_of_another_name_is_refused(postgres: Postgres, authority: Authority) -> None:
    with Front(postgres.database(), server_context(authority.certificate("elsewhere.test"))) as front:
        assert "Hostname mismatch" in refused(verified(front.dsn, authority))
        assert "Hostname mismatch" in refused(verified(front.dsn, authority, "require"))
        with Recorder(verified(front.dsn, authority, "verify-ca")) as recorder:
            psycopg.connect(recorder.dsn.uri()).close()


def test_an_unknown_authority_is_refused(postgres: Postgres, authority: Authority) -> None:
    with Front(postgres.database(), server_context(authority.certificate("localhost"))) as front:
        assert "unable to get local issuer certificate" in refused(front.dsn.with_params(sslmode="require"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"N", "the server does not offer TLS"),
        (b"E\0\0\0\x04", "the server does not offer TLS"),
        (b"Splain text", "this is no Postgres server"),
        (b"HTTP/1.1 400", "this is no Postgres server"),
    ],
)
def test_plain_text_is_refused_where_tls_is_promised(
    postgres: Postgres, authority: Authority, answer: bytes, words: str
) -> None:
    with Front(postgres.database(), server_context(authority.certificate("localhost")), answer) as front:
        assert refused(verified(front.dsn, authority)) == words


def test_another_host_is_never_spoken_to_in_plain_text() -> None:
    """Whatever its sslmode, unless that says so: 192.0.2.0/24 is for documentation (RFC 5737)."""
    for mode in ("", "allow", "prefer"):
        with Recorder(Dsn("192.0.2.1", "shop", params={"sslmode": mode} if mode else {})) as recorder:
            assert recorder._relay.tls is not None
    with Recorder(Dsn("192.0.2.1", "shop", params={"sslmode": "disable"})) as recorder:
        assert recorder._relay.tls is None


def test_a_file_of_certificates_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_text("nothing")
    for name in ("missing.pem", "root.pem"):
        with pytest.raises(UsageError, match=name):
            Recorder(Dsn("db.test", "shop", params={"sslmode": "verify-full", "sslrootcert": str(tmp_path / name)}))


def test_a_client_that_could_bind_its_login_is_not_taken_for_attacked(postgres: Postgres, authority: Authority) -> None:
    """libpq on TLS says that it could (channel_binding=prefer); see recorder/scram.py."""
    with Front(postgres.database(), server_context(authority.certificate("localhost")), binds=True) as front:
        direct = verified(front.dsn, authority)
        with Recorder(direct) as recorder:
            for mode in ("disable", "require"):
                with psycopg.connect(recorder.dsn.with_params(sslmode=mode).uri()) as connection:
                    assert connection.execute("select 1").fetchone() == (1,)
            with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
                psycopg.connect(recorder.dsn.with_params(sslmode="require").uri(), password="wrong")
    assert [peer.blind for peer in recorder.recording.peers if peer.blind] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_client_logs_in_to_a_real_server_that_offers_channel_binding(over_tls: Dsn, family: str) -> None:
    """Over TLS to both sides; the scenario itself is clients_test.py's, here it only has to come to its end."""
    argv = FAMILIES[family]()
    with psycopg.connect(over_tls.uri(), autocommit=True) as connection:
        connection.execute("drop table if exists t, filled, filled_10, filled_no, made, made_1, made_2, made_3")
    with Recorder(over_tls) as recorder:
        insisting = (*argv(recorder.dsn.with_params(sslmode="require")), *INSISTING.get(family, ()))
        done = subprocess.run(insisting, capture_output=True, timeout=120, check=False)
    assert done.returncode in (0, 3), done.stderr.decode()
    assert recorder.recording.cancels == (0 if family in CANCEL_NOTHING else 1)
    logged_in = [peer for peer in recorder.recording.peers if peer.pid]
    assert len(logged_in) >= 2 and all(peer.tls for peer in logged_in)
    assert [peer.refused or peer.blind for peer in recorder.recording.peers if peer.refused or peer.blind] == []


def test_a_wrong_password_is_refused_over_tls_in_the_servers_words(over_tls: Dsn) -> None:
    with Recorder(over_tls) as recorder:
        for mode in ("disable", "require"):
            with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "app"'):
                psycopg.connect(recorder.dsn.with_params(sslmode=mode).uri(), password="wrong")


def test_a_client_that_demands_channel_binding_is_told_that_there_is_none(over_tls: Dsn) -> None:
    with Recorder(over_tls) as recorder:
        with pytest.raises(psycopg.OperationalError, match="channel binding"):
            psycopg.connect(recorder.dsn.with_params(sslmode="require").uri(), channel_binding="require")


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        (b"plain", b"plain"),
        ("I\u00adX".encode(), b"IX"),  # RFC 4013, section 3
        ("\u00aa".encode(), b"a"),
        ("\u2168".encode(), b"IX"),
        ("a\u00a0b".encode(), b"a b"),
        (b"\x07", b"\x07"),  # prohibited: taken as it is
        ("\u0627\u0031".encode(), "\u0627\u0031".encode()),  # right to left, badly: the same
        (b"\xff", b"\xff"),
        (b"", b""),
    ],
)
def test_passwords_are_prepared_as_the_server_does(password: bytes, prepared: bytes) -> None:
    assert normalized(password) == prepared
