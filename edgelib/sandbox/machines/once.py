"""A log for what is tried again several times a second."""

import logging


class OnceLog:
    """Writes each text once."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._written: set[str] = set()

    def warning(self, text: str) -> None:
        """Something that may pass."""
        if text not in self._written:
            self._log.warning("%s", text)
        self._written.add(text)

    def defect(self, what: str, error: Exception) -> None:
        """Something that should not be, with its trace: to be called where it is caught."""
        text = f"{what}: {error!r}"
        if text not in self._written:
            self._log.error("%s", text, exc_info=error)
        self._written.add(text)
