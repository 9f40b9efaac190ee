"""Drawings from measured values: plots and range bars as SVG, stills with the player's skeleton as PNG.

Belongs here: numbers or pixels in, a picture out. Does not belong here: choosing what is drawn, the words around it, films
(`reading.overlay`).
"""
