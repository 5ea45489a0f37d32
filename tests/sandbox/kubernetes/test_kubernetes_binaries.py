"""Which Kubernetes programs are run: official ones, else the clone's own build, else a message with the ways out."""

import pytest

from edgelib.sandbox.kubernetes import binaries


@pytest.fixture
def programs(tmp_path):
    def put(*names):
        for name in names:
            (tmp_path / name).write_text("#!/bin/sh\n")
            (tmp_path / name).chmod(0o755)
        return {"PATH": str(tmp_path)}

    return put


@pytest.fixture
def built(tmp_path, monkeypatch):
    """A tools/bin of the test's own."""
    folder = tmp_path / "tools" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setattr(binaries, "tools_bin", lambda: folder)
    return folder


def test_official_programs_on_path_are_taken(programs, built, tmp_path):
    found = binaries.find(programs(*binaries.COMPONENTS))
    assert found.official
    assert found.commands["kwok"] == (str(tmp_path / "kwok"),)


def test_one_missing_and_the_own_build_is_taken_for_all(programs, built):
    (built / "edgelib-kubernetes").write_text("")
    (built / "edgelib-kubernetes").chmod(0o755)
    found = binaries.find(programs("etcd", "kube-apiserver"))
    assert not found.official
    assert found.commands["etcd"] == (str(built / "edgelib-kubernetes"), "etcd")


def test_without_any_the_ways_out_are_named(programs, built):
    with pytest.raises(binaries.BinariesNotFoundError) as error:
        binaries.find(programs("etcd"))
    assert "PATH: no kube-apiserver, kube-controller-manager, kube-scheduler, kwok" in str(error.value)
    assert "make setup" in str(error.value)
    assert "https://kubernetes.io/releases/download/" in str(error.value)


def test_outside_a_clone_there_is_nothing_to_build(programs, monkeypatch):
    monkeypatch.setattr(binaries, "tools_bin", lambda: None)
    with pytest.raises(binaries.BinariesNotFoundError) as error:
        binaries.find(programs())
    assert "make setup" not in str(error.value)
