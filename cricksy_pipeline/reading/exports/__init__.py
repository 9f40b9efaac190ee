"""Files for other programs: measures as CSV, landmarks as TRC.

Belongs here: writing a format, and telling whether bytes are of it. Does not belong here: files for people (`reading.report`,
`reading.overlay`), where they are stored (`store.keys`).
"""
