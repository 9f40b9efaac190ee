"""The project's own renderer of cricket clips with exactly known truth.

Belongs here: a skeleton that moves by keyframes, a camera, a picture, a file, and what is true of each frame. `clip` is the front door,
`pattern` writes cheap videos for tests of decoding. Pure: no database, no object store, no environment; of the project it knows only the
landmark names.
Does not belong here: estimating anything from a picture.
"""
