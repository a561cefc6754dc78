"""The files of one commit, as names and contents. Pure: where they come from is git.py's affair.

Detection asks the same few questions of every tree ("every manage.py", "everything below migrations/")
and a monorepo has a hundred thousand names, so the answers are indexed once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cached_property


class Tree:
    """Regular files only: submodules and symbolic links are not listed.

    ``oids`` maps each path (posix, relative to the repository's top) to the id of its blob; ``read``
    returns the contents of one path.
    """

    def __init__(self, oids: Mapping[str, str], read: Callable[[str], bytes]) -> None:
        self.oids = oids
        self._read = read
        self._contents: dict[str, bytes] = {}

    @classmethod
    def of(cls, files: Mapping[str, str]) -> Tree:
        """A tree that exists only in memory."""
        return cls({path: str(hash(text)) for path, text in files.items()}, lambda path: files[path].encode())

    def __contains__(self, path: str) -> bool:
        return path in self.oids

    @cached_property
    def paths(self) -> list[str]:
        return sorted(self.oids)

    @cached_property
    def _by_name(self) -> Mapping[str, list[str]]:
        index = defaultdict(list)
        for path in self.paths:
            index[path.rpartition("/")[2]].append(path)
        return index

    def named(self, name: str) -> list[str]:
        """Every path whose last part is ``name``."""
        return self._by_name.get(name, [])

    def below(self, directory: str) -> list[str]:
        """Every path below ``directory`` ("" is the whole tree), sorted."""
        if not directory:
            return self.paths
        prefix = directory + "/"
        start = bisect_left(self.paths, prefix)
        end = bisect_left(self.paths, directory + "0", start)  # "0" is the character after "/"
        return self.paths[start:end]

    def text(self, path: str) -> str:
        """The contents of ``path``, "" when there is no such file; bytes that are no UTF-8 are replaced."""
        return self.content(path).decode("utf-8", "replace")

    def content(self, path: str) -> bytes:
        if path not in self.oids:
            return b""
        if path not in self._contents:
            self._contents[path] = self._read(path)
        return self._contents[path]


def join(directory: str, name: str) -> str:
    """``directory/name``, where "" and "." are the top."""
    parts: list[str] = []
    for part in f"{directory}/{name}".split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def parent(path: str) -> str:
    """The directory of ``path``, "" for one at the top."""
    return path.rpartition("/")[0]


def inside(path: str, directory: str) -> bool:
    """Whether ``path`` lies somewhere below ``directory`` ("" is the top)."""
    return not directory or path.startswith(directory + "/")
