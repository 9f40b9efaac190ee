"""The pages that coaches open in a browser: sessions, upload, one analysis, two compared.

Belongs here: templates, styles, scripts, and the views that fill them. Does not belong here: what a report says (`reading.report`),
answers for programs (`reading.api`).
"""
