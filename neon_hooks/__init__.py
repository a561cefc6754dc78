"""neon-hooks: tries what a push would do to production on a copy of production."""
