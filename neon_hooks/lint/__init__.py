"""What can be said of SQL by reading it: the linter squawk, started as a program. Nothing is run, nothing connects.

An edge like any other: texts go in, what squawk says of them comes out, and what that means for a push
is the affair of checks/linted.py.
"""
