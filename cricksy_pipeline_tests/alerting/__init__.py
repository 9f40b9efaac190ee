"""Who is told of failures, when, and through which channel."""
