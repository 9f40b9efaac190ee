"""Mediapipe's answers as arrays: what its own reading says, without its objects."""

from __future__ import annotations

import subprocess
import sys
import textwrap


def test_an_answer_read_as_arrays_says_what_mediapipes_own_reading_says():
    # In a process of its own: mediapipe's packages are replaced by empty ones wherever its landmarker is loaded alone.
    script = """
        import ctypes, importlib.util
        import numpy as np
        from cricksy_pipeline.analysis.blazepose import COLUMNS, landmarker_module

        ours = landmarker_module()
        spec = importlib.util.spec_from_file_location("as_published", ours.__file__)
        theirs = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(theirs)
        layouts = ours.landmark_c_lib
        rng = np.random.default_rng(5)

        def people(mark, marks, count):
            said = []
            for _ in range(count):
                body = (mark * 33)()
                for point in body:
                    for field in ("x", "y", "z", "visibility", "presence"):
                        setattr(point, field, float(rng.normal()))
                    point.has_visibility = point.has_presence = True
                said.append(marks(ctypes.cast(body, ctypes.POINTER(mark)), 33))
            return (marks * max(count, 1))(*said)

        for count in (0, 1, 3):
            picture = people(layouts.MpNormalizedLandmarkC, layouts.MpNormalizedLandmarksC, count)
            world = people(layouts.MpLandmarkC, layouts.MpLandmarksC, count)
            answer = ours.MpPoseLandmarkerResultC(None, 0, picture, count, world, count)
            read = ours.PoseLandmarkerResult.from_ctypes(answer)
            published = theirs.PoseLandmarkerResult.from_ctypes(answer)
            assert len(read) == len(published.pose_landmarks) == count
            for array, points, places in zip(read, published.pose_landmarks, published.pose_world_landmarks):
                assert array.dtype == np.float32 and array.shape == (33, len(COLUMNS)) and array.flags.owndata
                wanted = [[p.x, p.y, p.z, p.visibility, p.presence, w.x, w.y, w.z] for p, w in zip(points, places)]
                assert (array == np.array(wanted, np.float32)).all()
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
