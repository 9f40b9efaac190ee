"""What Dagster looks at by itself, every few seconds: each sensor a module of its own.

Belongs here: when to look, what to remember, what to ask for. Does not belong here: the state of a job (`store`).
"""
