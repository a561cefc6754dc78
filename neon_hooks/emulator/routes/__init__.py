"""The API's routes: one table, and one module of handlers for each kind of thing.

A handler takes a Call and returns a Reply, or raises Problem. It neither knows HTTP nor starts anything.
"""
