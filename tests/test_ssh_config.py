import shutil
import subprocess

import pytest

from edgelib import ArgsError
from edgelib.ssh_config import BastionEndpoint, render_ssh_config

NODES = {"edge-1": "10.0.128.5", "edge-2": "10.0.128.6"}


def endpoint(**about):
    return BastionEndpoint(
        **{"alias": "bastion", "region": "us-east-1", "instance_id": "i-1", "public_ip": None, **about}
    )


OPEN, CLOSED = endpoint(public_ip="198.51.100.7"), endpoint()


def blocks(config):
    """Host to its settings, read as ssh_config(5) says: a keyword, white space, the rest of the line."""
    found = {}
    for line in filter(None, map(str.strip, config.splitlines())):
        keyword, value = line.split(None, 1)
        if keyword == "Host":
            found[value] = settings = {}
        else:
            settings[keyword] = value
    return found


def openssh(config, host, tmp_path):
    path = tmp_path / "site.conf"
    path.write_text(config, encoding="utf-8")
    shown = subprocess.run(["ssh", "-G", "-F", str(path), host], capture_output=True, text=True, check=True, timeout=20)
    return dict(line.split(" ", 1) for line in shown.stdout.splitlines() if " " in line)


def test_every_host_is_behind_the_bastion_by_name():
    config = blocks(render_ssh_config(OPEN, NODES))
    assert list(config) == ["bastion", "edge-1", "edge-2"]
    assert config["bastion"]["HostName"] == "198.51.100.7"
    assert {name: (config[name]["HostName"], config[name]["ProxyJump"]) for name in NODES} == {
        name: (address, "bastion") for name, address in NODES.items()
    }
    assert {about["User"] for about in config.values()} == {"ubuntu"}


def test_a_closed_bastion_is_reached_through_session_manager():
    about = blocks(render_ssh_config(CLOSED, {}))["bastion"]
    assert about["HostName"] == "i-1"
    assert about["ProxyCommand"] == (
        "aws ssm start-session --region us-east-1 --target i-1 "
        "--document-name AWS-StartSSHSession --parameters portNumber=%p"
    )
    assert "ProxyCommand" not in blocks(render_ssh_config(OPEN, {}))["bastion"]


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs the OpenSSH client")
@pytest.mark.parametrize("bastion", [OPEN, CLOSED], ids=["open", "closed"])
def test_openssh_reads_the_file_as_meant(bastion, tmp_path):
    config = render_ssh_config(bastion, NODES)
    node = openssh(config, "edge-2", tmp_path)
    assert (node["hostname"], node["proxyjump"], node["user"], node["port"]) == (
        "10.0.128.6",
        "bastion",
        "ubuntu",
        "22",
    )
    assert node["stricthostkeychecking"] == "accept-new"
    jump = openssh(config, "bastion", tmp_path)
    assert ("proxycommand" in jump) == (bastion is CLOSED)
    assert "proxyjump" not in jump


@pytest.mark.parametrize("alias", ["", "two words", "a\nProxyCommand evil", "*", "-oProxyCommand=x", "!edge"])
def test_an_alias_that_would_mean_something_else_to_ssh_is_refused(alias):
    for render in (
        lambda: render_ssh_config(CLOSED, {alias: "10.0.0.1"}),
        lambda: render_ssh_config(endpoint(alias=alias), {}),
    ):
        with pytest.raises(ArgsError, match="is no alias; use letters"):
            render()


def test_a_host_called_like_the_bastion_is_refused():
    with pytest.raises(ArgsError, match=r"ssh_config: 'bastion' is the bastion's own alias; give the host another"):
        render_ssh_config(CLOSED, {"bastion": "10.0.0.1"})
