"""The change sets of a Liquibase changelog, in the order in which they run. Pure.

Facts: https://docs.liquibase.com (XML, YAML, JSON and formatted SQL changelogs, include, includeAll,
contexts, logicalFilePath). Each of the formats is brought into one form: nested (name, attributes, children).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from neon_hooks.systems.yamltext import document
from neon_hooks.tree import Tree, join, parent

FORMATS = (".xml", ".yaml", ".yml", ".json", ".sql")
FORMATTED = re.compile(r"\s*--\s*liquibase\s+formatted\s+sql", re.IGNORECASE)
SQL_SET = re.compile(
    r"""^\s*--\s*changeset\s+(?P<author>"[^"]*"|[^\s:]+):(?P<id>"[^"]*"|[^\s:]+)(?P<rest>.*)$""",
    re.IGNORECASE | re.MULTILINE,
)
ATTRIBUTE = re.compile(r"""(\w+):("[^"]*"|\S+)""")
SQL_ROLLBACK = re.compile(r"^\s*--\s*rollback\b", re.IGNORECASE | re.MULTILINE)
# Changes that Liquibase cannot reverse by itself (docs.liquibase.com, "automatic and custom rollbacks").
ONE_WAY = frozenset(
    "sql sqlFile insert loadData loadUpdateData update delete dropTable dropColumn dropView dropSequence"
    " createProcedure mergeColumns modifyDataType dropPrimaryKey dropUniqueConstraint dropIndex".split()
)
DEPTH = 20  # includes within includes: more is a circle


@dataclass(frozen=True)
class ChangeSet:
    """``file`` is the name under which it is recorded, ``path`` where it stands in the tree."""

    id: str
    author: str
    file: str
    path: str
    digest: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    has_way_back: bool = True

    @property
    def row(self) -> str:
        return f"{self.file}::{self.id}::{self.author}"


@dataclass(frozen=True)
class Node:
    name: str
    attributes: Mapping[str, str]
    children: tuple[Node, ...] = ()
    text: str = ""


class Changelog:
    """``searched`` are the directories of the tree in which Liquibase looks for a file, the first wins."""

    def __init__(self, tree: Tree, searched: Iterable[str]) -> None:
        self._tree = tree
        self._searched = tuple(searched)
        self.files: dict[str, None] = {}  # every file that was read or is mentioned, in order
        self.class_path: dict[str, str] = {}  # "classpath:db" in front of such a file -> the path that it means

    def change_sets(self, name: str, depth: int = 0) -> Iterator[ChangeSet]:
        """Those of the changelog called ``name``, and of all that it includes."""
        name = normal(name)
        path = self.find(name)
        if not path or depth > DEPTH:
            return
        self.files[path] = None
        text = self._tree.text(path)
        if path.endswith(".sql"):
            yield from self._sql(name, path, text)
            return
        root = _parsed(path, text)
        logical = root.attributes.get("logicalFilePath", "")
        for node in root.children:
            yield from self._node(node, name, path, logical, depth)

    def find(self, name: str) -> str:
        """The path of a file or directory that a changelog names; "" if it is not in the tree."""
        for directory in self._searched:
            path = join(directory, name)
            if path in self._tree or self._tree.below(path):
                return path
        return ""

    def _node(self, node: Node, name: str, path: str, logical: str, depth: int) -> Iterator[ChangeSet]:
        if node.name == "changeSet":
            yield self._change_set(node, name, path, logical)
        elif node.name in ("include", "includeAll"):
            target = normal(node.attributes.get("file") or node.attributes.get("path", ""))
            if node.attributes.get("relativeToChangelogFile") == "true":
                target = join(parent(name), target)
            included = [target] if node.name == "include" else self._all(target, node)
            for each in included:
                yield from self.change_sets(each, depth + 1)

    def _all(self, directory: str, node: Node) -> list[str]:
        found = self.find(directory)
        deepest = int(node.attributes.get("maxDepth") or DEPTH)
        names = [path.removeprefix(f"{found}/") for path in self._tree.below(found)] if found else []
        return [
            join(directory, each) for each in names if each.endswith(FORMATS) and each.count("/") < deepest
        ]

    def _change_set(self, node: Node, name: str, path: str, logical: str) -> ChangeSet:
        mentioned = [self._mentioned(child, name) for child in _all_of(node)]
        self.files |= dict.fromkeys(filter(None, mentioned))
        contents = "".join(self._tree.oids[each] for each in mentioned if each in self._tree.oids)
        recorded = node.attributes.get("logicalFilePath") or logical or name
        return ChangeSet(
            node.attributes.get("id", ""), node.attributes.get("author", ""), normal(recorded), path,
            digest=_digest(repr(node) + contents), attributes=node.attributes,
            has_way_back="rollback" in node.attributes or _has_way_back({each.name for each in _all_of(node)}),
        )  # fmt: skip

    def _mentioned(self, node: Node, name: str) -> str:
        """The file that a change reads (sqlFile, loadData, createView)."""
        written = node.attributes.get("path") or node.attributes.get("file", "")
        target = normal(written)
        if not target:
            return ""
        relative = node.attributes.get("relativeToChangelogFile") == "true"
        found = self.find(join(parent(name), target) if relative else target)
        if found and written.startswith("classpath:"):
            first, slash, rest = written.partition("/")
            self.class_path[first] = found.removesuffix(f"{slash}{rest}")
        return found

    def _sql(self, name: str, path: str, text: str) -> Iterator[ChangeSet]:
        if not FORMATTED.match(text.lstrip("\ufeff")):
            yield ChangeSet("raw", "includeAll", name, path, _digest(text), has_way_back=False)
            return
        found = list(SQL_SET.finditer(text))
        ends = [match.start() for match in found[1:]] + [len(text)]
        for match, end in zip(found, ends, strict=True):
            attributes = {key: value.strip('"') for key, value in ATTRIBUTE.findall(match["rest"])}
            body = text[match.end() : end].strip()
            recorded = normal(attributes.get("logicalFilePath") or name)
            yield ChangeSet(
                match["id"].strip('"'), match["author"].strip('"'), recorded, path, _digest(body), attributes,
                has_way_back=bool(SQL_ROLLBACK.search(body)),
            )


def sql_of(text: str, id: str, author: str) -> tuple[str, int, Mapping[str, str]] | None:
    """A change set of formatted SQL: (its SQL, the lines above it, its attributes)."""
    found = list(SQL_SET.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    for match, end in zip(found, ends, strict=True):
        if (match["id"].strip('"'), match["author"].strip('"')) == (id, author):
            attributes = {key: value.strip('"') for key, value in ATTRIBUTE.findall(match["rest"])}
            return text[match.end() : end], text.count("\n", 0, match.end()), attributes
    return None


def normal(name: str) -> str:
    """``classpath:/db/x.xml`` and ``./db/x.xml`` are recorded as ``db/x.xml``."""
    return join("", name.replace("\\", "/").removeprefix("classpath:").removeprefix("classpath*:"))


def _digest(text: str) -> str:
    return hashlib.sha1("\n".join(line.strip() for line in text.splitlines()).encode()).hexdigest()


def _has_way_back(names: set[str]) -> bool:
    return "rollback" in names or ONE_WAY.isdisjoint(names)


def _all_of(node: Node) -> Iterator[Node]:
    for child in node.children:
        yield child
        yield from _all_of(child)


def _parsed(path: str, text: str) -> Node:
    """The databaseChangeLog of a file; an empty one for what cannot be read: Liquibase will say why."""
    if path.endswith(".xml"):
        try:
            return _from_xml(ElementTree.fromstring(text.lstrip("\ufeff")))
        except (ElementTree.ParseError, ValueError):
            return Node("", {})
    if path.endswith(".json"):
        try:
            found = json.loads(text)
        except ValueError:
            found = {}
    else:
        found = document(text)
    entries = found.get("databaseChangeLog", []) if isinstance(found, dict) else []
    children = tuple(_from_data(entries)) if isinstance(entries, list) else ()
    logical = next((node.text for node in children if node.name == "logicalFilePath"), "")
    return Node("databaseChangeLog", {"logicalFilePath": logical} if logical else {}, children)


def _from_xml(element: ElementTree.Element) -> Node:
    name = str(element.tag).rpartition("}")[2]
    return Node(name, dict(element.attrib), tuple(map(_from_xml, element)), (element.text or "").strip())


def _from_data(value: Any) -> Iterator[Node]:
    """[{"changeSet": {"id": 1, "changes": [...]}}]: scalars are attributes, the rest is children."""
    if isinstance(value, list):
        for each in value:
            yield from _from_data(each)
    elif isinstance(value, dict):
        for name, inner in value.items():
            scalars = inner if isinstance(inner, dict) else {}
            attributes = {
                key: _scalar(each) for key, each in scalars.items() if not isinstance(each, dict | list)
            }
            text = "" if isinstance(inner, dict | list) else _scalar(inner)
            nested = [{k: v} for k, v in scalars.items() if isinstance(v, dict | list)] if scalars else inner
            yield Node(str(name), attributes, tuple(_from_data(nested)), text)


def _scalar(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)
