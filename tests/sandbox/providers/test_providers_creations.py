"""Creating once: lost answers, definite refusals, kills between two runs, and twins."""

import threading

import pytest

from edgelib.sandbox.providers.creations import CreationLog


class LostError(Exception):
    pass


class Cloud:
    """Makes things; the answer to the first `lost` calls is lost, with the work done or not."""

    def __init__(self, *, lost=0, done=True):
        self.things, self.calls, self.lost, self.done, self.tokens = [], 0, lost, done, []

    def make(self, token):
        self.calls += 1
        self.tokens.append(token)
        if self.calls <= self.lost:
            if self.done:
                self.things.append(f"thing-{len(self.things)}")
            raise LostError
        self.things.append(f"thing-{len(self.things)}")
        return self.things[-1]


@pytest.fixture
def notes(tmp_path):
    return tmp_path / "notes"


def once(log, cloud, urn="urn", arguments="same"):
    return log.of(urn).once(
        arguments, cloud.make, existing=lambda: set(cloud.things), unanswered=lambda error: isinstance(error, LostError)
    )


def new_log(notes):
    waits = []
    log = CreationLog(notes, sleep=waits.append)
    log.waits = waits
    return log


def test_the_thing_of_a_lost_answer_is_taken(notes):
    cloud, log = Cloud(lost=1), new_log(notes)
    cloud.things.append("thing-of-another")
    assert once(log, cloud) == "thing-1"
    assert cloud.things == ["thing-of-another", "thing-1"]


def test_what_was_not_done_is_tried_again_with_the_same_token_and_not_for_ever(notes):
    cloud, log = Cloud(lost=2, done=False), new_log(notes)
    assert once(log, cloud) == "thing-0"
    assert cloud.calls == 3
    assert len(set(cloud.tokens)) == 1
    assert log.waits == [0.1, 0.2]
    endless = Cloud(lost=99, done=False)
    with pytest.raises(LostError):
        once(log, endless, urn="other", arguments="other")
    assert endless.calls == 5
    assert len(list(notes.iterdir())) == 1  # the finished one's, until the engine has the answer


def test_a_refusal_is_raised_at_once_and_forgotten(notes):
    def refuse(_):
        raise ValueError("no")

    log = new_log(notes)
    with pytest.raises(ValueError, match="no"):
        log.of("urn").once("same", refuse, existing=set, unanswered=lambda error: isinstance(error, LostError))
    assert list(notes.iterdir()) == []


def test_the_next_process_finds_what_a_killed_one_made(notes):
    cloud = Cloud()

    def killed(token):
        cloud.make(token)
        raise KeyboardInterrupt  # stands for the end of the process: nothing after this runs

    with pytest.raises(KeyboardInterrupt):
        new_log(notes).of("urn").once("same", killed, existing=lambda: set(cloud.things), unanswered=lambda _: False)
    assert once(new_log(notes), cloud) == "thing-0"
    assert cloud.calls == 1


def test_once_the_engine_knows_the_next_creation_is_a_new_thing(notes):
    cloud = Cloud()
    log = new_log(notes)
    assert once(log, cloud) == "thing-0"
    log.of("urn").finished()
    assert once(new_log(notes), cloud) == "thing-1"


def test_other_arguments_are_another_thing(notes):
    cloud = Cloud()
    once(new_log(notes), cloud)
    assert once(new_log(notes), cloud, arguments="changed") == "thing-1"


def test_twins_never_take_each_other(notes):
    cloud, log = Cloud(lost=4), new_log(notes)
    ids = []
    threads = [threading.Thread(target=lambda urn=f"urn-{n}": ids.append(once(log, cloud, urn=urn))) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 8
    assert sorted(ids) == sorted(cloud.things)
