"""Alembic's folder: the environment and, in `versions`, one linear history. `store.migrate` runs it."""
