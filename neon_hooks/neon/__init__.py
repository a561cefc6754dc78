"""The Neon API: the only importer of httpx, and only where it is used (client.py).

Nothing here prints, knows git, or connects to a database; what comes out are values and errors.
"""
