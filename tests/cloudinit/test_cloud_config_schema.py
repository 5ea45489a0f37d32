"""User data is what cloud-init's own schema allows."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from edgelib.cloudinit.bastion import render_bastion

SCHEMA = json.loads((Path(__file__).parent.parent / "schemas" / "cloud-config-v1.json").read_text())
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGExampleExampleExampleExampleExample me@example"


def complaints(user_data):
    head, _, document = user_data.partition("\n")
    assert head == "#cloud-config"
    return [error.message for error in jsonschema.Draft4Validator(SCHEMA).iter_errors(yaml.safe_load(document))]


@pytest.mark.parametrize("keys", [[], [KEY], [KEY] * 20], ids=len)
def test_bastion(keys):
    assert complaints(render_bastion(ssh_authorized_keys=keys)) == []


def test_the_schema_is_one_that_complains():
    assert complaints("#cloud-config\nruncmd: 3\nwrite_files: [{content: x}]\n")
