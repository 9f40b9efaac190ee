"""Measuring: from the bytes of a video to landmarks, events, metrics with their intervals, findings and the report in words.

Belongs here: everything that decides what a number is and whether it may be shown, each step a pure function of what it is given; the
child processes in which native code reads untrusted video; the predicates of the guardrails. Does not belong here: Dagster, database,
object store, environment, and how anything looks to a reader (`reading`). The order of the steps is in docs/architecture.md.
"""
