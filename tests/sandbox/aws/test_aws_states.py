"""Transitions and the clock, without a server."""

from pathlib import Path

import pytest

from edgelib.sandbox.aws.journal import Journal, JournalError
from edgelib.sandbox.aws.states import LONGEST, Transitions


@pytest.fixture
def ended() -> list[str]:
    return []


def test_a_transition_ends_at_the_second_look(ended: list[str]) -> None:
    transitions = Transitions()
    transitions.begin("i-1", 0.0, lambda: ended.append("i-1"))
    assert not transitions.look(["i-1", "i-2"])
    assert transitions.look(["i-1"])
    assert ended == ["i-1"]
    assert not transitions.look(["i-1"])
    assert transitions.take_looks() == ["i-1", "i-1"]  # for the journal: only looks at what was under way
    assert transitions.take_looks() == []


def test_a_transition_that_nobody_looks_at_ends_by_itself(ended: list[str]) -> None:
    transitions = Transitions()
    transitions.begin("i-1", 100.0, lambda: ended.append("i-1"))
    transitions.begin("i-2", 101.0, lambda: ended.append("i-2"))
    transitions.settle(100.0 + LONGEST - 0.1)
    assert ended == []
    transitions.settle(100.0 + LONGEST)
    assert ended == ["i-1"]


def test_a_new_transition_takes_the_place_of_one_under_way(ended: list[str]) -> None:
    transitions = Transitions()
    transitions.begin("i-1", 0.0, lambda: ended.append("running"))
    transitions.look(["i-1"])
    transitions.begin("i-1", 1.0, lambda: ended.append("terminated"))
    assert not transitions.look(["i-1"])
    assert transitions.look(["i-1"])
    assert ended == ["terminated"]


def test_a_journal_of_another_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text('{"format": 0}\n')
    with pytest.raises(JournalError, match="destroy the sandbox and start a new one"):
        Journal(tmp_path)


def test_a_journal_torn_in_its_header_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text('{"format": 1, "se')
    journal = Journal(tmp_path)
    journal.append({"n": 1})
    journal.close()
    again = Journal(tmp_path)
    assert list(again.entries()) == [{"n": 1}]
    assert again.seed == journal.seed
    again.close()
