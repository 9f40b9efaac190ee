"""The report: one view of the documents, and the HTML page and the PDF that are made of it.

Belongs here: what a report says and in which order, its two printed forms, its templates. Does not belong here: the text of findings and
plan (`analysis.report`), single drawings (`reading.drawing`), the live page around it (`reading.pages`).
"""
