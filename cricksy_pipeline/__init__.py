"""A coach's phone video of a cricketer, turned into an analysis that can be trusted."""

__version__ = "0.1.0"
