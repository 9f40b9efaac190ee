"""What the commands say: tables and progress for a terminal, and the JSON that a script may rely on.

Belongs here: shapes and their printing. Does not belong here: asking the rows or doing anything (`commands`), the report
(`reading.report`).
"""
