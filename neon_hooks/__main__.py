"""``python -m neon_hooks``: the same as the command ``neon-hooks``."""

from neon_hooks.cli import main

raise SystemExit(main())
