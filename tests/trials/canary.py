"""A program that reads and writes one table all the time, and prints how long it had to wait.

It shares nothing with the recorder: what it measures is what an application would feel.

    python canary.py URI TABLE       until a line comes on standard input
"""

from __future__ import annotations

import json
import sys
import threading
import time

import psycopg

PAUSE = 0.002  # seconds between two attempts
NOISE = 0.004  # seconds; a quicker answer has not waited for a lock


def watch(uri: str, sql: str, stop: threading.Event, ready: threading.Barrier, waited: list[float]) -> None:
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(sql.encode())
        ready.wait()
        while not stop.is_set():
            began = time.perf_counter()
            connection.execute(sql.encode())
            spent = time.perf_counter() - began
            if spent > NOISE:
                waited.append(spent)
            time.sleep(PAUSE)


def main(uri: str, table: str) -> None:
    # Neither touches a row: only the locks of the table are asked for.
    queries = {
        "reads": f"select from {table} limit 0",
        "writes": f"delete from {table} where false",
    }
    stop, ready = threading.Event(), threading.Barrier(len(queries) + 1)
    waited: dict[str, list[float]] = {name: [] for name in queries}
    threads = [
        threading.Thread(target=watch, args=(uri, sql, stop, ready, waited[name])) for name, sql in queries.items()
    ]
    for thread in threads:
        thread.start()
    ready.wait()
    print("ready", flush=True)
    sys.stdin.readline()
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps({name: max(seconds, default=0.0) * 1000 for name, seconds in waited.items()}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
