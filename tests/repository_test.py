"""What others rely on in this repository itself: the manifest, the package, the README."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

from neon_hooks.checks import CATALOGUE
from neon_hooks.settings import KEYS

TOP = Path(__file__).parent.parent
HOOK_KEYS = {
    "language": "python",
    "always_run": "true",
    "pass_filenames": "false",
    "require_serial": "true",
    "minimum_pre_commit_version": "3.2.0",
}


def test_the_manifest_is_valid_and_every_hook_has_the_fixed_keys_and_an_entry_point() -> None:
    manifest = TOP / ".pre-commit-hooks.yaml"
    argv = (sys.executable, "-m", "pre_commit", "validate-manifest", str(manifest))
    assert subprocess.run(argv, capture_output=True, timeout=60).returncode == 0
    setup = configparser.ConfigParser()
    setup.read(TOP / "setup.cfg")
    scripts = setup["options.entry_points"]["console_scripts"]
    for hook in manifest.read_text().split("- id: ")[1:]:
        id, _, rest = hook.partition("\n")
        assert f"{id} = neon_hooks.hooks.{id.removeprefix('neon-').replace('-', '_')}:main" in scripts
        for key, value in HOOK_KEYS.items():
            assert re.search(rf"^  {key}: {re.escape(value)}$", rest, re.MULTILINE), (id, key)


def test_every_package_and_every_shim_is_installed() -> None:
    """An editable install hides what setup.cfg forgets."""
    setup = configparser.ConfigParser()
    setup.read(TOP / "setup.cfg")
    listed = set(setup["options"]["packages"].split())
    found = {
        ".".join(file.parent.relative_to(TOP).parts) for file in (TOP / "neon_hooks").rglob("__init__.py")
    } | {"neon_hooks.hooks"}
    assert listed == found
    data = setup["options.package_data"]
    for file in (TOP / "neon_hooks").rglob("*.css"):
        assert file.name in data[".".join(file.parent.relative_to(TOP).parts)].split()


def test_the_readme_names_every_setting_rule_and_hook() -> None:
    readme = (TOP / "README.md").read_text()
    for key in KEYS:
        assert re.search(rf"^(?:{key} = |\[+{key}[\].])", readme, re.MULTILINE), key
    for rule in CATALOGUE:
        assert f"`{rule}`" in readme, rule
    for id in re.findall(r"- id: (\S+)", (TOP / ".pre-commit-hooks.yaml").read_text()):
        assert f"### `{id}`" in readme


def test_nothing_of_this_machine_is_in_the_repository() -> None:
    listed = subprocess.run(("git", "ls-files", "-z"), cwd=TOP, capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        data = (TOP / name).read_bytes()
        assert b"\0" not in data, f"{name} is a binary"
        assert len(data) < 500_000, name


def test_the_repository_gets_no_other_markdown_than_its_own() -> None:
    listed = subprocess.run(("git", "ls-files", "*.md"), cwd=TOP, capture_output=True, text=True, check=True)
    assert set(listed.stdout.split()) == {"README.md", "CHANGELOG.md"}
