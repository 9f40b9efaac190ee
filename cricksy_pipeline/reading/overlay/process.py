"""What draws overlay videos: the child process of `analysis.pose_process`, with tasks of this room, behind everything else.

Belongs here: nothing but the start. Run by `python -m`, never imported by the parent. Does not belong here: the tasks (`tasks`).
"""

from __future__ import annotations

import os

from cricksy_pipeline.analysis.pose_process import main
from cricksy_pipeline.reading.overlay.style import STYLE

if __name__ == "__main__":
    os.nice(STYLE.nice)
    main("cricksy_pipeline.reading.overlay.tasks")
