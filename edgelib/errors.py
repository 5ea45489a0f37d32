"""The error that refuses bad input."""


class ArgsError(ValueError):
    """An argument that cannot work, refused before the first resource.

    The message names the field, the value, the reason and the way out, as in
    ``NodePoolArgs.count: 0 would build nothing; use 1 or more, or leave the pool out``.
    """

    def __init__(self, field: str, value: object, problem: str, way_out: str) -> None:
        super().__init__(f"{field}: {value} {problem}; {way_out}")

    @classmethod
    def saying(cls, message: str) -> "ArgsError":
        """An error whose ``message`` a planner has written, already in that form."""
        error = cls.__new__(cls)
        error.args = (message,)
        return error
