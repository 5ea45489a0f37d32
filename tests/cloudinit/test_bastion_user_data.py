import os
from pathlib import Path

import pytest
import yaml

from edgelib.cloudinit.bastion import render_bastion
from edgelib.cloudinit.cloud_config import render_cloud_config

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
KEYS = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJp4vVgB operator@example.com",
    "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY= second: key # with yaml in its comment",
]


@pytest.mark.parametrize(("keys", "name"), [([], "bastion.yaml"), (KEYS, "bastion-with-keys.yaml")])
def test_the_user_data_is_the_reviewed_one(keys, name):
    text, golden = render_bastion(ssh_authorized_keys=keys), GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8"), (
        f"the bastion's user data has changed, which replaces every bastion; if it should, run "
        f"UPDATE_GOLDEN=1 pytest tests/cloudinit and review the diff of tests/golden/{name}"
    )


def sshd_settings(user_data):
    (file,) = yaml.safe_load(user_data)["write_files"]
    lines = [line.split(None, 1) for line in file["content"].splitlines()]
    assert len({keyword for keyword, _ in lines}) == len(lines), "sshd takes the first of two"
    return file, dict(lines)


def test_ssh_lets_keys_in_and_forwards_to_ssh_and_does_nothing_else():
    file, sshd = sshd_settings(render_bastion(ssh_authorized_keys=KEYS))
    assert (file["path"], file["permissions"]) == ("/etc/ssh/sshd_config.d/00-edgelib.conf", "0600")
    assert {keyword for keyword, value in sshd.items() if value == "no"} >= {
        "PasswordAuthentication",
        "KbdInteractiveAuthentication",
        "PermitRootLogin",
        "AllowAgentForwarding",
        "AllowStreamLocalForwarding",
        "GatewayPorts",
        "PermitTunnel",
        "X11Forwarding",
    }
    assert sshd["AuthenticationMethods"] == "publickey"
    assert (sshd["AllowTcpForwarding"], sshd["PermitOpen"], sshd["AllowUsers"]) == ("local", "*:22", "ubuntu")


def test_cloud_init_gets_what_its_schema_takes():
    config = yaml.safe_load(render_bastion(ssh_authorized_keys=KEYS))
    assert config["ssh_authorized_keys"] == KEYS
    assert (config["ssh_pwauth"], config["disable_root"]) == (False, True)
    assert all(isinstance(word, str) for command in config["runcmd"] for word in command)


def test_without_keys_there_is_no_empty_list_which_cloud_inits_schema_refuses():
    assert "ssh_authorized_keys" not in yaml.safe_load(render_bastion(ssh_authorized_keys=[]))


@pytest.mark.parametrize(
    "settings",
    [
        {"write_files": [{"path": "/x", "permissions": "0600", "content": "a: b\n\n  indented # no comment\n"}]},
        {"runcmd": [["sh", "-c", "echo 'one' \"two\" $three %s: {x} [y] & * ! |"], ["true"]]},
        {"on": "yes", "number": "010", "none": "null", "text": "ends with a space ", "tabs": "a\tb\n"},
        {"long": "word " * 300},
    ],
)
def test_any_text_comes_out_as_it_went_in(settings):
    rendered = render_cloud_config(settings)
    assert rendered.startswith("#cloud-config\n")
    assert yaml.safe_load(rendered) == settings


def test_keys_stay_in_the_order_given_and_long_lines_are_not_folded():
    rendered = render_cloud_config({"z": "x" * 600, "a": "line\nline\n"})
    assert rendered == f"#cloud-config\nz: {'x' * 600}\na: |\n  line\n  line\n"
