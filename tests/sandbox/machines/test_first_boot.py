"""User data as a first boot reads it."""

import base64
import email.mime.multipart
import email.mime.text
import gzip

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edgelib.cloudinit.multipart import render_multipart
from edgelib.sandbox.machines.first_boot import File, FirstBoot, read_first_boot


def boot(document, header="#cloud-config\n"):
    return read_first_boot((header + yaml.safe_dump(document)).encode())


def multipart(*parts):
    message = email.mime.multipart.MIMEMultipart()
    for text, subtype, headers in parts:
        part = email.mime.text.MIMEText(text, subtype)
        for name, value in headers.items():
            part[name] = value
        message.attach(part)
    return message.as_bytes()


def test_no_user_data_leaves_nothing():
    assert read_first_boot(b"") == FirstBoot()


ENCODED = [
    ({"content": "x"}, b"x"),
    ({}, b""),
    ({"content": base64.b64encode(b"x").decode(), "encoding": "b64"}, b"x"),
    ({"content": base64.b64encode(b"x").decode(), "encoding": "base64"}, b"x"),
    ({"content": gzip.compress(b"x"), "encoding": "gzip"}, b"x"),
    ({"content": base64.b64encode(gzip.compress(b"x")).decode(), "encoding": "gz+b64"}, b"x"),
    ({"content": base64.b64encode(gzip.compress(b"x")).decode(), "encoding": "gzip+base64"}, b"x"),
    ({"content": b"\xff\x00"}, b"\xff\x00"),
]


@pytest.mark.parametrize(("entry", "content"), ENCODED)
def test_files_are_decoded(entry, content):
    found = boot({"write_files": [{"path": "/etc/x", **entry}]})
    assert found.files == {"/etc/x": File(content=content)}
    assert found.problems == ()


@given(st.binary(max_size=200))
def test_any_bytes_survive_the_way_through_gzip_and_base64(content):
    packed = base64.b64encode(gzip.compress(content)).decode()
    user_data = "#cloud-config\n" + yaml.safe_dump(
        {"write_files": [{"path": "/x", "encoding": "gz+b64", "content": packed}]}
    )
    assert read_first_boot(gzip.compress(user_data.encode())).files["/x"].content == content


@pytest.mark.parametrize(
    ("permissions", "mode", "problems"),
    [("0600", 0o600, 0), ("755", 0o755, 0), (0o640, 0o640, 0), (None, 0o644, 0), ("rw", 0o644, 1)],
)
def test_permissions(permissions, mode, problems):
    found = boot({"write_files": [{"path": "/x", "permissions": permissions}]})
    assert found.files["/x"].permissions == mode
    assert len(found.problems) == problems


def test_files_are_appended_to_replaced_and_deferred_in_order():
    files = [
        {"path": "/a", "content": "late", "defer": True},
        {"path": "/a", "content": "1"},
        {"path": "/a", "content": "2", "append": True},
        {"path": "etc/../b", "content": "b"},
    ]
    found = boot({"write_files": files})
    assert {path: file.content for path, file in found.files.items()} == {"/a": b"late", "/b": b"b"}


def test_a_file_that_cannot_be_decoded_ends_the_module():
    found = boot({"write_files": [{"path": "/a"}, {"path": "/b", "encoding": "gzip", "content": "x"}, {"path": "/c"}]})
    assert list(found.files) == ["/a"]
    assert found.problems[0].startswith("Running module write_files failed at /b")


def test_commands_keys_and_scripts():
    found = boot({"runcmd": [["systemctl", "start", 1], "echo x"], "ssh_authorized_keys": ["ssh-ed25519 A"]})
    assert found.commands == (("systemctl", "start", "1"), "echo x")
    assert found.ssh_authorized_keys == ("ssh-ed25519 A",)
    assert read_first_boot(b"#!/bin/sh\necho x\n").scripts == ("#!/bin/sh\necho x\n",)


def test_a_command_that_is_none_makes_cloud_init_run_none():
    found = boot({"runcmd": ["echo x", {"a": 1}]})
    assert found.commands == ()
    assert "runcmd" in found.problems[0]


@pytest.mark.parametrize(
    ("user_data", "problem"),
    [
        (b"#cloud-config\nwrite_files: [\n", "Failed at merging in cloud config part from part-001"),
        (b"#cloud-config\n- a\n", "got list instead"),
        (b"#cloud-config\nmerge_how: list\nruncmd: [a]\n", "not in the right format"),
        (b"## template: jinja\n#cloud-config\nruncmd: [a]\n", "text/jinja2 is not acted out"),
        (b"#cloud-config-archive\n- a\n", "text/cloud-config-archive is not acted out"),
        (b"#include https://example.com\n", "text/x-include-url is not acted out"),
        (b"runcmd: [a]\n", "Unhandled non-multipart (text/x-not-multipart) userdata"),
        (base64.b64encode(b"#cloud-config\nruncmd: [a]\n"), "Unhandled non-multipart"),
        (b"\x1f\x8bx", "Failed decompressing user data"),
    ],
)
def test_what_cloud_init_would_not_take_is_said_and_leaves_nothing(user_data, problem):
    found = read_first_boot(user_data)
    assert (found.files, found.commands, found.scripts) == ({}, (), ())
    assert problem in found.problems[0]


def test_a_part_that_does_not_parse_costs_itself_alone():
    good, bad = ("#cloud-config\nruncmd: [a]\n", "cloud-config", {}), ("#cloud-config\n{", "cloud-config", {})
    found = read_first_boot(multipart(bad, good))
    assert found.commands == ("a",)
    assert "part-001" in found.problems[0]


def test_by_default_the_second_cloud_config_drops_the_firsts_lists():
    parts = [(f"#cloud-config\nruncmd: [{each}]\n", "cloud-config", {}) for each in "ab"]
    assert read_first_boot(multipart(*parts)).commands == ("b",)


@pytest.mark.parametrize("header", ["Merge-Type", "X-Merge-Type"])
def test_a_merge_type_keeps_both(header):
    headers = {header: "list(append)+dict(no_replace,recurse_list)+str()"}
    parts = [(f"#cloud-config\nruncmd: [{each}]\n", "cloud-config", headers) for each in "ab"]
    assert read_first_boot(multipart(*parts)).commands == ("a", "b")


def test_the_type_of_a_plain_part_is_what_it_begins_with():
    parts = [
        ("#!/bin/sh\n", "plain", {}),
        ("#cloud-config\nruncmd: [a]\n", "x-shellscript", {}),
        ("#!/bin/sh\nhook\n", "cloud-boothook", {}),
    ]
    found = read_first_boot(multipart(*parts))
    assert found.scripts == ("#!/bin/sh\n", "#!/bin/sh\nhook\n")
    assert found.commands == ("a",)


def test_what_edgelib_renders_of_several_parts_is_read_whole():
    ours = "#cloud-config\n" + yaml.safe_dump({"write_files": [{"path": "/a", "content": "ü\n"}], "runcmd": ["a"]})
    theirs = "#cloud-config\n" + yaml.safe_dump({"write_files": [{"path": "/b", "content": "b"}], "runcmd": ["b"]})
    found = read_first_boot(gzip.compress(render_multipart([ours, theirs, "#!/bin/sh\necho\n"]).encode()))
    assert {path: file.text for path, file in found.files.items()} == {"/a": "ü\n", "/b": "b"}
    assert found.commands == ("a", "b")
    assert found.scripts == ("#!/bin/sh\necho\n",)
    assert found.problems == ()
