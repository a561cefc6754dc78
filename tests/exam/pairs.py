"""Pairs of schemas, read from files. Nothing here runs them.

A pair is one file, so that the change is seen at a glance:

    -- What changes, in a sentence.
    -- needs: 18, vector                          (a major version, extensions; may be left out)
    -- options: --rename public.a.x=public.a.y    (what the developer tells `generate`; may be left out)
    -- expect: refusal                            (no migration can do it, or the developer has to say more)

    ---- before
    the schema that main has
    ---- data
    its rows (may be left out)
    ---- after
    the schema that the project wants
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).parent / "pairs"
SECTION = re.compile(r"^---- (before|data|after)\n", re.MULTILINE)
HEADER = re.compile(r"^-- (needs|options|expect): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Pair:
    name: str
    before: str
    data: str
    after: str
    version: int = 0
    extensions: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    reachable: bool = True

    @property
    def kind(self) -> str:
        """The directory that the file lies in."""
        return self.name.rpartition("/")[0]

    @property
    def renames(self) -> dict[str, str]:
        """New name -> old name, of tables and columns, as the developer states them."""
        return {new: old for old, new in self._stated if new}

    @property
    def dropped(self) -> set[str]:
        """Tables and columns that the developer gives up (``--rename OLD=``), without quotes."""
        return {old.replace('"', "") for old, new in self._stated if not new}

    @property
    def _stated(self) -> list[list[str]]:
        return [option.split("=", 1) for option in self.options if "=" in option]


def corpus(directory: Path = CORPUS) -> list[Pair]:
    """Every pair below ``directory``: files as above, else directories with an a.sql and a b.sql."""
    files = [path for path in sorted(directory.rglob("*.sql")) if SECTION.search(path.read_text())]
    return [_read(directory, path) for path in files] or list(_directories(directory))


def _read(top: Path, path: Path) -> Pair:
    header, *sections = SECTION.split(path.read_text())
    parts = dict(zip(sections[::2], sections[1::2], strict=True))
    stated = dict(HEADER.findall(header))
    needs = stated.get("needs", "").replace(",", " ").split()
    return Pair(
        name=path.relative_to(top).with_suffix("").as_posix(),
        before=parts["before"],
        data=parts.get("data", ""),
        after=parts["after"],
        version=max((int(need) for need in needs if need.isdigit()), default=0),
        extensions=tuple(need for need in needs if not need.isdigit()),
        options=tuple(stated.get("options", "").split()),
        reachable=stated.get("expect", "") != "refusal",
    )


def _directories(top: Path) -> Iterator[Pair]:
    """migra's own fixtures look so."""
    for path in sorted(top.rglob("a.sql")):
        wanted = path.with_name("b.sql")
        if wanted.exists():
            yield Pair(path.parent.relative_to(top).as_posix(), path.read_text(), "", wanted.read_text())
