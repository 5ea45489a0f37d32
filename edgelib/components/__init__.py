"""The components: one noun, one module."""

if __name__ != "edgelib.components":
    raise ImportError(f"{__name__} would be a second copy of these classes; use: from edgelib.components import ...")
