"""An account of values and control planes that only remember, to put a director through its rounds in no time."""

import base64
import dataclasses
import json
import logging

import pytest

from edgelib.sandbox.kubernetes.control_plane import UnreachableError
from edgelib.sandbox.machines.cluster import LOOK_SECONDS
from edgelib.sandbox.machines.director import Director
from edgelib.sandbox.machines.machine import Account, Machine, Role
from edgelib.sandbox.machines.parameters import ParameterError, check_permission
from tests.sandbox.machines import k3s_user_data as k3s

POLICY = json.dumps({"Statement": {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*:parameter/k3s/*"}})
ROLE = Role(name="nodes", account="123456789012", policies=(POLICY,))


class FakePlane:
    """A control plane: nodes are names with whether they are Ready."""

    def __init__(self, directory, spec):
        self.directory, self.spec = directory, spec
        self.servers, self.registered, self.joins = (), {}, []
        self.slow = self.unreachable = False
        directory.mkdir(parents=True, exist_ok=True)

    def apply(self, servers):
        self.servers = tuple(servers)

    def problems(self):
        return ()

    def ready(self):
        return bool(self.servers) and not self.slow

    def _check(self):
        if not self.servers or self.unreachable:
            raise UnreachableError("no API server is ready")

    def join(self, node):
        self._check()
        self.registered[node.name] = True
        self.joins.append(node)

    def halt(self, node_name):
        self._check()
        self.registered[node_name] = False

    def nodes(self):
        self._check()
        return [
            {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": str(ready)}]}}
            for name, ready in self.registered.items()
        ]


class FakeAccount:
    """Machines, volumes and parameters, and a director over them."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self.machines, self.volumes, self.values = {}, set(), k3s.parameter_values()
        self.planes = {}
        self.now = 0.0
        self.reads = []
        monkeypatch.setattr("edgelib.sandbox.machines.cluster.time.monotonic", lambda: self.now)
        self.restart_director()

    def restart_director(self):
        """As after kill -9: another one, on the same folders, with the same processes."""

        def plane(directory, spec):
            known = self.planes.get(directory)
            if known is None or not directory.exists():
                known = self.planes[directory] = FakePlane(directory, spec)
            return known

        self.director = Director(
            self.folder / "machines",
            self.folder / "clusters",
            planes=plane,
            parameters=self.read,
            clock=lambda: self.now,
        )

    def read(self, machine, region, names):
        check_permission(machine, region, names)
        self.reads.append(machine.id)
        if missing := [name for name in names if name not in self.values]:
            raise ParameterError(f"no such parameters: {', '.join(missing)}")
        return {name: self.values[name] for name in names}

    def rounds(self, number=4):
        for _ in range(number):
            account = Account(
                machines=dict(self.machines), volumes=frozenset(self.volumes), private_range="127.16.0.0/24"
            )
            self.director.round(account)
            self.now += LOOK_SECONDS

    def launch(self, machine_id, files, private_ip, *, volumes=(), **values):
        root = f"vol-root-{machine_id}"
        self.volumes |= {root, *volumes}
        user_data = files if isinstance(files, str) else k3s.cloud_config(files)
        settings = {
            "region": "us-east-1", "state": "running", "boot": 1, "type": "t3.medium", "cpu": 2, "memory": 4 * 1024**3,
            "zone": "us-east-1a", "vpc_id": "vpc-1", "public_ip": None, "role": ROLE, "name": machine_id, **values,
        }  # fmt: skip
        self.machines[machine_id] = Machine(
            id=machine_id,
            private_ip=private_ip,
            user_data=base64.b64encode(user_data.encode()).decode(),
            volumes={
                "/dev/sda1": root,
                **{f"/dev/sd{letter}": each for letter, each in zip("fgh", volumes, strict=False)},
            },
            **settings,
        )

    def server(
        self, machine_id="i-s1", node="s1", private_ip="10.0.3.10", volume="vol-1", attached=True, machine=None, **how
    ):
        files = k3s.server_files(node, private_ip, volume=volume, password=f"{node}-password", **how)
        self.volumes.add(volume)
        self.launch(machine_id, files, private_ip, volumes=(volume,) if attached else (), **(machine or {}))

    def agent(self, machine_id="i-a1", node="a1", private_ip="10.0.3.20", server_ip="10.0.3.10", machine=None, **how):
        files = k3s.agent_files(node, private_ip, server_ip, **{"password": f"{node}-password", **how})
        self.launch(machine_id, files, private_ip, **(machine or {}))

    def change(self, machine_id, **values):
        self.machines[machine_id] = dataclasses.replace(self.machines[machine_id], **values)

    def stop(self, machine_id):
        self.change(machine_id, state="stopped")

    def start(self, machine_id):
        self.change(machine_id, state="running", boot=self.machines[machine_id].boot + 1)

    def reboot(self, machine_id):
        self.start(machine_id)

    def terminate(self, machine_id):
        gone = self.machines.pop(machine_id)
        self.volumes.discard(gone.volumes["/dev/sda1"])

    def plane(self, volume="vol-1"):
        return self.planes[self.folder / "clusters" / volume / "control-plane"]

    def nodes(self, volume="vol-1"):
        return self.plane(volume).registered

    def console(self, machine_id):
        return (self.folder / "machines" / machine_id / "console.log").read_text()

    def memory(self, machine_id):
        return json.loads((self.folder / "machines" / machine_id / "machine.json").read_text())


@pytest.fixture
def account(tmp_path, monkeypatch, caplog):
    yield FakeAccount(tmp_path, monkeypatch)
    assert [each.getMessage() for each in caplog.records if each.levelno >= logging.ERROR] == []
