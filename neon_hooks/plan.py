"""What the rooms say to each other about migrations. Pure data: a system describes, run/ does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

@dataclass(frozen=True)
class Unit:
    """One migration system at one place of the repository.

    ``root`` is the directory that the tool is started in, ``migrations_dir`` where its files lie, both
    relative to the repository's top ("" is the top itself). ``options`` is what detection read in the
    project's configuration and its system needs later; ``evidence`` says to a person why this is a hit.
    """

    system: str
    root: str
    migrations_dir: str
    evidence: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Migration:
    """``id`` is what the system's bookkeeping calls it; ``oid`` the blob, to notice edits.

    ``parents`` come before it; ``replaces`` are ids that it stands for (a squashed migration). ``row`` is
    what the bookkeeping holds where that is not the id. A ``repeatable`` one is applied again whenever its
    content changes, and may be edited.
    """

    id: str
    path: str
    oid: str
    parents: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    row: str = ""
    repeatable: bool = False


@dataclass(frozen=True)
class Bookkeeping:
    """The table in which a tool remembers what it has applied.

    ``id_sql`` is an expression over its row (which is called ``entry``) that yields a migration's id as text. ``schema`` None
    means: wherever a table of that name is. ``begins``: the tool writes the row before it runs a migration,
    and not afterwards. ``checksum_sql``, another expression, yields the checksum of what was applied, "" where
    none is kept.
    """

    table: str
    id_sql: str
    schema: str | None = None
    begins: bool = False
    checksum_sql: str = ""


@dataclass(frozen=True)
class Refusal:
    """A state of its own tables in which a tool refuses to work, and which a copy has like the original.

    ``table`` and ``schema`` as in Bookkeeping. ``name_sql`` is an expression over a row (``entry``) that names what
    is wrong with it, null where nothing is. ``repair`` is the tool's own command ({name} is filled in).
    ``is_lock``: somebody may be at work just now. ``release``: the SQL that this command sends for a lock ({table}).
    """

    table: str
    name_sql: str
    repair: str
    schema: str | None = None
    is_lock: bool = False
    release: str = ""


@dataclass(frozen=True)
class Command:
    """How a project's own tool is started. ``family`` says who finds ``argv[0]``, and which driver shim
    is loaded into it:

    python  the project's interpreter; ``module`` is what it must be able to import. Driver shim.
    node    a package's program in node_modules/.bin of the root or above it, never a download; or
            ``node`` itself. Driver shim.
    ruby    a binstub in bin/, ``bundle exec`` where there is a Gemfile.lock, PATH. Driver shim.
    jvm     ./mvnw or ./gradlew for ``mvn`` and ``gradle``, bin/ of the root and above it, PATH. No shim.
    native  the project's bin/, node_modules/.bin and virtual environments, PATH. No shim.

    Without a shim the address must be one that provably wins over the project's configuration.
    ``files`` are written to a private directory (name -> text), which is put first on the family's search
    path; ``links`` are symbolic links in it (name -> path). These words are filled in, in ``argv``, ``environment``, ``files`` and ``links``:

    {files}                 the private directory
    {checkout}, {root}      the pushed tree, and the unit's root in it; absolute
    {url}, {jdbc_url}       the test Neon database branch without its password, which PGPASSWORD has
    {host}, {port}, {database}, {user}
    {url_with_password}, {jdbc_url_with_password}, {password}
                            never in ``argv``: a command line can be read by everybody on the machine

    All other braces stay as they are. {url}'s scheme is ``url_schemes[0]``. ``unset`` are variables that
    the tool cannot bear.
    """

    argv: tuple[str, ...]
    family: str
    module: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    url_schemes: tuple[str, ...] = ("postgresql",)
    unset: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """How a tool tells whether its models and its migrations agree, without writing into the checkout.

    All patterns are looked for in the lines of its output. ``differs``: they do not agree. ``difference``: one
    thing that differs, ``heading``: what the differences below it are about. ``nothing``: there are no models
    to compare with. ``by_database``: the tool compares with the database, not with its own migrations. ``builds``:
    the project is built first, which takes its time; where the models are the same at both commits, that is done once.
    """

    command: Command
    differs: str
    difference: str
    heading: str = ""
    nothing: str = ""
    by_database: bool = False
    builds: bool = False


@dataclass(frozen=True)
class Script:
    """SQL files that we run ourselves, in order, as ``psql -v ON_ERROR_STOP=1 -f`` would."""

    paths: tuple[str, ...]
    single_transaction: bool = False


@dataclass(frozen=True)
class Replayed:
    """One migration whose SQL we run ourselves, because the project's tool is not there.

    ``sql`` is the part of the file that goes up, which begins ``offset`` lines below the file's first.
    ``transaction``: BEGIN and COMMIT around it and its record, as most tools do. ``implicit``: sent as one
    simple query, which Postgres runs as one transaction of its own. Neither: statement by statement, as
    psql does. ``setup`` makes the bookkeeping's table where it is missing, and is run once before the
    first migration that has it; ``record`` writes the migration down.
    """

    id: str
    path: str
    sql: str
    offset: int = 0
    transaction: bool = False
    implicit: bool = False
    setup: str = ""
    record: str = ""


@dataclass(frozen=True)
class Written:
    """The SQL that a migration sends, as it stands in its file: known without running anybody's code.

    ``sql`` begins ``offset`` lines below the file's first. ``transaction``: the tool runs it inside one.
    """

    path: str
    sql: str
    offset: int = 0
    transaction: bool = True


@dataclass(frozen=True)
class Proof:
    """What the bookkeeping says after the tool has run: ids that should be there, ids that should not.

    ``unseen`` are pushed files that the tool passes over because of their names.
    """

    missing: frozenset[str] = frozenset()
    unexpected: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Clash:
    """What git cannot merge: ``git_ref`` and what was merged before it, with the ``paths`` in conflict."""

    git_ref: str
    before: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """A migration that the main line already has and the push changes. ``what`` is edited, renamed or deleted."""

    id: str
    path: str
    what: str
    new_path: str = ""


@dataclass(frozen=True)
class Work:
    """One unit and what the push means for it. ``history`` is everything at the target, in order.

    ``is_graph``: the order is told by ``parents``. ``numbers`` are the versions that order the migrations
    elsewhere (id -> version), empty where a tool does not order by number. ``downs`` are the ids that have
    a way back, None where a tool knows none, or nothing is pushed. ``unpublished`` are further new ones, which
    the main line does not have either and which were looked at before. ``checksums`` (id -> any of these) is
    what the bookkeeping must hold for a migration that is applied as its file is now, for tools that keep some.
    ``models`` are changed files that say what the schema should be. ``one_way`` are pushed ids without a way back, or
    that say so; ``all_one_way``: the tool knows none at all.
    """

    unit: Unit
    history: tuple[Migration, ...]
    pushed: tuple[Migration, ...]
    edits: tuple[Edit, ...] = ()
    is_graph: bool = False
    numbers: Mapping[str, str] = field(default_factory=dict)
    downs: frozenset[str] | None = None
    unpublished: tuple[Migration, ...] = ()
    checksums: Mapping[str, frozenset[str]] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    one_way: frozenset[str] = frozenset()
    all_one_way: bool = False
