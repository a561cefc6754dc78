"""TLS between the recorder and a server: an authority of the test's own, a front for the embedded Postgres
(whose wheel has no OpenSSL), and a server of Debian's, which has it.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import TracebackType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from neon_hooks.dsn import Dsn
from neon_hooks.recorder.wire import error, message

DAY = timedelta(days=1)
PLUS = b"SCRAM-SHA-256-PLUS\0"


class Authority:
    """Signs certificates for the names that it is asked for; files below ``home``."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._sign("an authority for tests", self._key, (), is_authority=True)
        self.root = home / "root.pem"
        self.root.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def certificate(self, *names: str) -> tuple[Path, Path]:
        """(certificate, key) as files."""
        key = ec.generate_private_key(ec.SECP256R1())
        chain, private = self._home / f"{names[0]}.pem", self._home / f"{names[0]}.key"
        chain.write_bytes(self._sign(names[0], key, names).public_bytes(serialization.Encoding.PEM))
        private.touch(mode=0o600)
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return chain, private

    def _sign(
        self, title: str, key: ec.EllipticCurvePrivateKey, names: tuple[str, ...], *, is_authority: bool = False
    ) -> x509.Certificate:
        now = datetime.now(timezone.utc)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if is_authority else self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if names:
            made = made.add_extension(x509.SubjectAlternativeName(list(map(x509.DNSName, names))), critical=False)
        return made.sign(self._key, hashes.SHA256())


class Front:
    """A server's TLS. ``answer`` is what it says to an SSLRequest. With ``binds`` it offers channel binding,
    and takes a client that could have bound and does not for attacked, as Postgres does (auth-scram.c).
    """

    def __init__(self, target: Dsn, context: ssl.SSLContext, answer: bytes = b"S", *, binds: bool = False) -> None:
        self._target, self._context, self._answer, self._binds = target, context, answer, binds
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.names: list[str | None] = []  # SNI
        context.sni_callback = lambda _, name, __: self.names.append(name)
        self.dsn = replace(target, host="localhost", port=self._listener.getsockname()[1])

    def __enter__(self) -> Front:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _start(self, work: Callable[..., None], *values: object) -> None:
        self._threads.append(threading.Thread(target=work, args=values, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._start(self._serve, self._listener.accept()[0])

    def _serve(self, plain: socket.socket) -> None:
        with plain, suppress(OSError):
            plain.recv(8)
            plain.sendall(self._answer)
            if self._answer != b"S":
                plain.recv(1)
                return
            with (
                self._context.wrap_socket(plain, server_side=True) as client,
                socket.create_connection((self._target.host, self._target.port)) as server,
            ):
                self._relay(client, server)

    def _relay(self, client: ssl.SSLSocket, server: socket.socket) -> None:
        """Message by message while the login lasts; one thread, since an SSLSocket is not made for two."""
        server.sendall(client.recv(1 << 16))
        client.settimeout(0.01)
        server.settimeout(0.01)
        while True:
            with suppress(TimeoutError):
                said = server.recv(1 << 16)
                if not said:
                    return
                if self._binds and said[:1] == b"R" and said[5:9] == b"\0\0\0\x0a":
                    said = message(b"R", said[5:9] + PLUS + said[9:])
                client.settimeout(10)
                client.sendall(said)
                client.settimeout(0.01)
            with suppress(TimeoutError):
                asked = client.recv(1 << 16)
                if not asked:
                    return
                if self._binds and asked[:6] == b"p\0\0\0" + asked[4:5] + b"S" and flag(asked) == b"y":
                    client.sendall(error("08P01", "SCRAM channel binding negotiation error"))
                    return
                server.sendall(asked)


def server_context(files: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


@contextmanager
def debian_postgres(authority: Authority) -> Iterator[Dsn]:
    """A server with TLS that offers SCRAM-SHA-256-PLUS. Skips where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        pytest.skip("needs a Postgres with OpenSSL (the Debian package postgresql)")
    binaries = found[-1].parent
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    home = Path(tempfile.mkdtemp(prefix="neon-hooks-tls-"))
    try:
        for source, name in zip(authority.certificate("localhost"), ("server.crt", "server.key"), strict=True):
            shutil.copy(source, home / name)
        (home / "password").write_text("open sésame")
        if user:
            for path in (home, *home.iterdir()):
                shutil.chown(path, user)
        subprocess.run(
            (binaries / "initdb", "-D", home / "data", "-A", "scram-sha-256", "-U", "app", "--no-sync", "-E", "UTF8",
             "--locale=C", "--pwfile", home / "password"), user=user, check=True, capture_output=True, cwd=home,
        )  # fmt: skip
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = subprocess.Popen(
            (binaries / "postgres", "-D", home / "data", "-p", str(port), "-h", "127.0.0.1", "-k", home, "-c", "ssl=on",
             "-c", f"ssl_cert_file={home}/server.crt", "-c", f"ssl_key_file={home}/server.key", "-c", "fsync=off"),
            user=user, stderr=subprocess.DEVNULL, cwd=home,
        )  # fmt: skip
        try:
            ready = (binaries / "pg_isready", "-h", "127.0.0.1", "-p", str(port))
            while subprocess.run(ready, capture_output=True, check=False).returncode:
                assert server.poll() is None
            params = {"sslmode": "verify-full", "sslrootcert": str(authority.root)}
            yield Dsn("localhost", "postgres", "app", "open sésame", port, params)
        finally:
            server.terminate()
            server.wait(20)
    finally:
        shutil.rmtree(home)


def flag(sent: bytes) -> bytes:
    """The GS2 flag of a SASLInitialResponse: n, y or p (RFC 5802, section 7)."""
    mechanism_end = sent.index(b"\0", 5) + 1
    (length,) = struct.unpack_from(">I", sent, mechanism_end)
    return sent[mechanism_end + 4 :][:length][:1]
