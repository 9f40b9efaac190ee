"""Metrics: what each one is, how it is read from a body's track, and how sure the reading is.

Belongs here: one function and one entry of catalogue.toml for each metric, the measured error of the pose model (accuracy.toml), the
refusals, the series behind the plots. Does not belong here: finding deliveries and their moments (`analysis.deliveries`), judging a value
(`analysis.judging`).
"""
