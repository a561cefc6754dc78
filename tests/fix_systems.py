"""Real environments of the migration tools, and a Postgres to point them at."""
