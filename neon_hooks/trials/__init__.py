"""Experiments on a test Neon database branch. Each adds Facts and judges nothing.

A trial is told where to work by a Place; it does not know how the branch came to be or what is said
about the outcome.
"""
