"""Overlay films: the video with skeleton, events and readings drawn over it, and a clip of each ball.

Belongs here: what such a film says, how it looks, blurring faces, and the child process that reads the source and draws. Does not belong
here: when a film is made (`orchestration.overlaying`), its row (`store.overlays`).
"""
