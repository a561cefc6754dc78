"""A desired schema becomes a migration: migra proposes, the catalogue decides.

draft.py is the story. Only worker.py, a process of its own, imports migra; nothing here is loaded where a
project has a migration system.
"""
