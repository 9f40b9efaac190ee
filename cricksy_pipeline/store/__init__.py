"""What lasts: the rows in PostgreSQL and the objects in S3 or in a folder.

Belongs here: tables, migrations, the run protocol of a job row, object stores, key rules, and the read model of a job. Does not
belong here: Dagster, the analysis, the environment. Everything takes its engine, client or folder from the caller.
"""
