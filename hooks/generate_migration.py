"""The hook ``neon-generate-migration``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from neon_hooks import cli


def main(argv: Sequence[str] | None = None) -> int:
    return cli.main(["generate", "--pushed", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    raise SystemExit(main())
