"""Who is told when analyses keep failing, when, in what words and through which channel. Knows no Dagster.

Belongs here: streaks of failures, the decision to tell somebody, channels. Does not belong here: when to look (a sensor does), or the
state of one job (`store`).
"""
