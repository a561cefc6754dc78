"""Ecto, Laravel and EF Core: where they are used, in which order, and how the address is forced on them."""

from __future__ import annotations

import pytest

from neon_hooks.errors import UsageError
from neon_hooks.plan import Command, Unit
from neon_hooks.settings import Settings
from neon_hooks.systems import by_name, detect
from neon_hooks.tree import Tree
from tests.fix_systems import tree

DATABASE_PHP = """<?php
return [
    'default' => env('DB_CONNECTION', 'pgsql'),
    'connections' => [
        'pgsql' => [
            'driver' => 'pgsql',
            {}
            'charset' => 'utf8',
        ],
    ],
    'migrations' => ['table' => 'changes', 'update_date_on_publish' => true],
];
"""
FROM_URL = "'url' => env('DB_URL'),\n            'host' => env('DB_HOST', '127.0.0.1'),"
LARAVEL = {
    "artisan": "#!/usr/bin/env php\n",
    "composer.json": '{"require": {"laravel/framework": "^11.0"}}',
    "config/database.php": DATABASE_PHP.format(FROM_URL),
    "database/migrations/2026_02_01_000000_b.php": "<?php",
    "database/migrations/2026_01_01_000000_a.php": "<?php",
    "database/migrations/old/2025_01_01_000000_never.php": "<?php",
}
ECTO = {
    "mix.exs": "def project, do: [app: :shop]\ndefp deps, do: [{:ecto_sql, \"~> 3.10\"}]\n",
    "lib/shop/repo.ex": "defmodule Shop.Repo do\n  use Ecto.Repo, otp_app: :shop, adapter: Ecto.Adapters.Postgres\nend\n",
    "priv/repo/migrations/20260201000000_b.exs": "",
    "priv/repo/migrations/20260101000000_a.exs": "",
    "priv/repo/seeds.exs": "",
}
SNAPSHOT = 'using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;\n[DbContext(typeof(ShopContext))]\nNpgsqlModelBuilderExtensions.UseIdentityByDefaultColumns(modelBuilder);'
EFCORE = {
    "src/Shop/Shop.csproj": '<PackageReference Include="Npgsql.EntityFrameworkCore.PostgreSQL" />',
    "src/Shop/Data/Migrations/20260101000000_Initial.cs": "",
    "src/Shop/Data/Migrations/20260101000000_Initial.Designer.cs": "",
    "src/Shop/Data/Migrations/ShopContextModelSnapshot.cs": SNAPSHOT,
    "src/Shop/Data/ShopContext.cs": 'o.UseNpgsql(x => x.MigrationsHistoryTable("history", "shop"));',
}


def unit_of(project: Tree) -> Unit:
    (unit,) = detect(project, Settings())
    return unit


def command_of(project: Tree) -> Command:
    unit = unit_of(project)
    command = by_name(unit.system).apply(unit, ())
    assert isinstance(command, Command)
    return command


@pytest.mark.parametrize(
    ("files", "place", "expected"),
    [
        (LARAVEL, "database/migrations", ["2026_01_01_000000_a", "2026_02_01_000000_b"]),
        (ECTO, "priv/repo/migrations", ["20260101000000", "20260201000000"]),
        (EFCORE, "src/Shop/Data/Migrations", ["20260101000000_Initial"]),
    ],
    ids=["laravel", "ecto", "efcore"],
)
def test_migrations_are_found_in_order(files: dict[str, str], place: str, expected: list[str]) -> None:
    project = tree(files)
    unit = unit_of(project)
    assert unit.migrations_dir == place
    assert [migration.id for migration in by_name(unit.system).history(unit, project)] == expected


def test_annotations_of_another_provider_in_a_snapshot_of_npgsqls_mean_nothing() -> None:
    path = "src/Shop/Data/Migrations/ShopContextModelSnapshot.cs"
    several = SNAPSHOT + '\nb.HasKey("Id").HasAnnotation("SqlServer:Clustered", false);'
    assert unit_of(tree({**EFCORE, path: several})).options["context"] == "ShopContext"
    of_sqlite = several.replace("using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;", "").replace(
        "NpgsqlModelBuilderExtensions.UseIdentityByDefaultColumns(modelBuilder);", '.HasAnnotation("Npgsql:IndexInclude");'
    )
    assert detect(tree({**EFCORE, path: of_sqlite}), Settings()) == []


def test_a_repository_of_ectos_whose_directory_the_configuration_names() -> None:
    files = {
        **ECTO,
        "lib/shop/repo.ex": ECTO["lib/shop/repo.ex"].replace("Shop.Repo", "Shop.RepoBase"),
        "config/config.exs": 'config :shop, ecto_repos: [Shop.RepoBase]\nconfig :shop, Shop.RepoBase,\n  priv: "priv/repo"\n',
    }
    assert unit_of(tree(files)).options["repo"] == "Shop.RepoBase"


@pytest.mark.parametrize(
    "files",
    [
        {**LARAVEL, ".env.example": "DB_CONNECTION=mysql\n", "config/database.php": "'default' => 'mysql',"},
        {path: text for path, text in LARAVEL.items() if path != "artisan"},
        {**ECTO, "lib/shop/repo.ex": ECTO["lib/shop/repo.ex"].replace("Postgres", "MyXQL")},
        {**ECTO, "mix.exs": "app: :shop"},
        {**EFCORE, "src/Shop/Data/Migrations/ShopContextModelSnapshot.cs": "SqlServerModelBuilderExtensions"},
    ],
    ids=["Laravel on MySQL", "no artisan", "Ecto on MySQL", "no ecto_sql", "EF Core on SQL Server"],
)
def test_others_are_no_unit(files: dict[str, str]) -> None:
    assert detect(tree(files), Settings()) == []


def test_laravel_gets_its_address_from_the_environment_and_no_cached_configuration() -> None:
    command = command_of(tree(LARAVEL))
    assert command.argv[:3] == ("php", "artisan", "migrate") and "--force" in command.argv
    assert command.environment["DB_URL"] == "{url_with_password}"
    assert command.environment["APP_CONFIG_CACHE"].startswith("{files}/")
    kept = by_name("laravel").bookkeeping
    assert kept and kept(unit_of(tree(LARAVEL))).table == "changes"


@pytest.mark.parametrize("address", ["'host' => 'db.example.com',", "'url' => env('DB_URL'),\n 'write' => ['host' => 'a'],"])
def test_a_fixed_address_of_laravel_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match=r"config/database\.php"):
        command_of(tree({**LARAVEL, "config/database.php": DATABASE_PHP.format(address)}))


def test_ectos_own_script_replaces_what_the_configuration_says_of_the_address() -> None:
    command = command_of(tree(ECTO))
    (script,) = command.files.values()
    assert "app = :shop\nrepo = Shop.Repo\n" in script
    assert "Keyword.merge(address)" in script and ":url" in script
    assert command.environment["NEON_HOOKS_MIGRATIONS"] == "{checkout}/priv/repo/migrations"


def test_a_repository_that_decides_its_address_in_code_is_refused() -> None:
    own = ECTO["lib/shop/repo.ex"].replace("end\n", "  def init(_, config), do: {:ok, config}\nend\n")
    with pytest.raises(UsageError, match="init/2"):
        command_of(tree({**ECTO, "lib/shop/repo.ex": own}))


def test_ef_core_gets_its_address_as_a_flag_without_the_password() -> None:
    command = command_of(tree(EFCORE))
    assert command.argv[:6] == (
        "dotnet", "ef", "database", "update", "--connection",
        "Host={host};Port={port};Database={database};Username={user}",
    )  # fmt: skip
    assert command.argv[6:] == ("--project", "Shop.csproj", "--context", "ShopContext")
    kept = by_name("efcore").bookkeeping
    assert kept and (kept(unit_of(tree(EFCORE))).table, kept(unit_of(tree(EFCORE))).schema) == ("history", "shop")
