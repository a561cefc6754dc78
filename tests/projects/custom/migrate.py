"""The home-made migration runner of this shop: applies every file that is not in the table yet."""

import os
from pathlib import Path

import psycopg

with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS applied_files (name text PRIMARY KEY)")
    applied = {name for (name,) in connection.execute("SELECT name FROM applied_files")}
    for file in sorted(Path("migrations").glob("*.sql")):
        if file.name not in applied:
            connection.execute(file.read_text())
            connection.execute("INSERT INTO applied_files VALUES (%s)", [file.name])
            print("applied", file.name)
