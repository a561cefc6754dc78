"""Entry points of .pre-commit-hooks.yaml, installed as neon_hooks.hooks. No logic: see neon_hooks/cli.py."""
