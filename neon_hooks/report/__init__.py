"""Saying what was found: one renderer per format, and the only room that prints.

Renderers are pure (Outcome -> text); out.py writes, and survives a terminal that is gone.
"""
