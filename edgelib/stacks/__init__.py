"""Components composed into whole sites."""

if __name__ != "edgelib.stacks":
    raise ImportError(f"{__name__} would be a second copy of this package; use: from edgelib.stacks import ...")
