"""Runs on more than one machine: who offers them, who takes them, who notices that a taker died.

Belongs here: the launcher that Dagster's daemon asks, and `cricksy worker`. Between them stands nothing but Dagster's own PostgreSQL: a
run that Dagster's queue let go is an offer, a session's advisory lock on it is a worker at work (decision 25). Does not belong here:
which run is next and how many at once (Dagster's queue), what a run does.
"""
