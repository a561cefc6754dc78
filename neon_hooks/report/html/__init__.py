"""One page that shows a run: no script, no network, nothing beside the file itself.

page.py is the whole, the others its parts; all text of others goes through markup.py, which escapes it.
"""

from neon_hooks.report.html.page import render

__all__ = ["render"]
