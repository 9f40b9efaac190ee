"""The REST API: sessions, uploads, jobs, their progress and their files.

Belongs here: routes, who may call them and how often, and what is answered. Does not belong here: HTML for a browser (`reading.pages`), a
job as its reader sees it (`store.job_read`), the wording of a report (`reading.report`).
"""
