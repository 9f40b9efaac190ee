"""What people and programs read: the API, the coach's pages, the report on screen and on paper, exports, overlay films, the terminal.

Belongs here: presenting what the rows and objects hold, to whom it belongs. Does not belong here: measuring or judging (`analysis`), what
is kept and how (`store`), when anything is made (`orchestration`).
"""
