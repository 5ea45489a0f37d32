"""K3s on a machine: whether user data starts it, and the server or agent that its files make. Pure.

Refusals are in K3s' own words.
"""

import posixpath
import re
import shlex
from collections.abc import Mapping
from typing import Optional

from edgelib.errors import ArgsError
from edgelib.kubernetes.k3s_config import AGENT_KEYS, SERVER_KEYS
from edgelib.kubernetes.labels import check_node_labels, check_taints
from edgelib.sandbox.machines.first_boot import FirstBoot
from edgelib.sandbox.machines.joining import TokenError, parse_token
from edgelib.sandbox.machines.k3s_files import CONFIG, ConfigError, read_config
from edgelib.sandbox.machines.machine import Machine
from edgelib.sandbox.machines.plans import Agent, NodeSettings, Refusal, Server

NAME = "K3s"

BOOTSTRAP = "/usr/local/sbin/edgelib-k3s"
ENVIRONMENT = "/etc/edgelib/k3s.env"
PARAMETERS = "/etc/edgelib/parameters"
DATA = "/var/lib/rancher/k3s/server"

_UNITS = "/etc/systemd/system"
_STAGED_TLS = "/etc/edgelib/k3s/tls"
_CA_NAMES = ("server-ca", "client-ca", "request-header-ca", "etcd/peer-ca", "etcd/server-ca")
TLS_NAMES = (*(f"{name}.{end}" for name in _CA_NAMES for end in ("crt", "key")), "service.key")
"""What has to be under server/tls before the first start, else K3s makes its own (K3s documentation, "k3s certificate")."""


class _RefusedError(Exception):
    """K3s ends with this message."""


def recognises(boot: FirstBoot) -> bool:
    """Whether user data starts K3s: its configuration, the bootstrap, and something that runs the bootstrap."""
    return CONFIG in boot.files and BOOTSTRAP in boot.files and (_run_once(boot) or boots_each_time(boot))


def boots_each_time(boot: FirstBoot) -> bool:
    """Whether an enabled unit runs the bootstrap at every boot, not the first boot alone."""
    units = [
        posixpath.basename(path).removesuffix(".service")
        for path, file in boot.files.items()
        if posixpath.dirname(path) == _UNITS
        and re.search(rf"^ExecStart=.*{re.escape(BOOTSTRAP)}\b", file.text, re.MULTILINE)
    ]
    enabling = [text for text in _command_texts(boot) if "systemctl" in text and "enable" in text]
    return any(unit in re.split(r"[\s/]|\.service\b", text) for unit in units for text in enabling)


def _run_once(boot: FirstBoot) -> bool:
    return any(re.search(rf"{re.escape(BOOTSTRAP)}(?![\w.-])", text) for text in _command_texts(boot))


def _command_texts(boot: FirstBoot) -> list[str]:
    commands = [each if isinstance(each, str) else shlex.join(each) for each in boot.commands]
    return [*commands, *boot.scripts]


def parameter_files(files: Mapping[str, str]) -> dict[str, str]:
    """SSM parameter names by the absolute path of the file that each is written to."""
    pairs = [line.split() for line in files.get(PARAMETERS, "").splitlines()]
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2 and not pair[0].startswith("#")}


def data_volume(files: Mapping[str, str]) -> Optional[str]:
    """The volume that has to be attached before a server begins; None when there is none to wait for."""
    return environment(files).get("DATASTORE_VOLUME") or None


def parameter_region(files: Mapping[str, str]) -> Optional[str]:
    """The Region that parameters are read from; None when the files name none."""
    return environment(files).get("AWS_REGION") or None


def environment(files: Mapping[str, str]) -> dict[str, str]:
    """The bootstrap's settings, shell assignments."""
    words = [shlex.split(line, comments=True) for line in files.get(ENVIRONMENT, "").splitlines()]
    pairs = [word.partition("=") for line in words for word in line]
    return {name: value for name, equals, value in pairs if equals}


def plan(files: Mapping[str, str], machine: Machine) -> Server | Agent | Refusal:
    """What K3s does with the files of a machine, those fetched at boot among them.

    Args:
        files: Text by absolute path.
        machine: The machine they are on.
    """
    settings = environment(files)
    try:
        config = read_config(files)
        if settings.get("ROLE") == "server":
            return _server(files, config, settings, machine)
        return _agent(files, config, settings, machine)
    except (ConfigError, TokenError, _RefusedError) as error:
        return Refusal(str(error))


def _agent(
    files: Mapping[str, str], config: Mapping[str, list[str]], settings: Mapping[str, str], machine: Machine
) -> Agent:
    unknown = [key for key in config if key not in _known("agent")]
    if unknown:
        raise _RefusedError(f"Incorrect Usage: flag provided but not defined: -{unknown[0]}")
    url = _one(config, "server")
    if not url:
        raise _RefusedError("--server is required")
    token = _secret(files, config, "token")
    if not token:
        raise _RefusedError("--token is required")
    return Agent(node=_node(files, config, settings, machine), server_url=url, token=parse_token(token))


def _server(
    files: Mapping[str, str], config: Mapping[str, list[str]], settings: Mapping[str, str], machine: Machine
) -> Server:
    known = _known("server")
    warnings = [f"Unknown flag --{key} found in config.yaml, skipping" for key in config if key not in known]
    config = {key: values for key, values in config.items() if key in known}
    node, token = _node(files, config, settings, machine), parse_token(_secret(files, config, "token"))
    agent_token = _secret(files, config, "agent-token")
    advertised = _one(config, "advertise-address") or node.external_ip or node.internal_ip
    service_cidr = _one(config, "service-cidr") or "10.43.0.0/16"
    tls = _tls(files, mounted=bool(settings.get("DATASTORE_VOLUME")))
    if missing := [name for name in TLS_NAMES if name not in tls]:
        warnings.append(
            f"{', '.join(missing)} missing under {DATA}/tls: K3s makes its own certificate authorities, "
            "so a kubeconfig and tokens made for the intended ones are not good for this cluster"
        )
    return Server(
        node=node,
        server_url=_one(config, "server") or None,
        token=token,
        agent_password=parse_token(agent_token).password if agent_token else token.password,
        advertise_address=advertised,
        sans=_sans(config, node, advertised),
        tls=tls,
        cluster_cidr=_one(config, "cluster-cidr") or "10.42.0.0/16",
        service_cidr=service_cidr,
        secrets_encryption=_one(config, "secrets-encryption") == "true",
        peers=tuple(settings.get("PEERS", "").split()),
        etcd=_one(config, "cluster-init") == "true" or bool(_one(config, "server")),
        volume=settings.get("DATASTORE_VOLUME") or machine.root_volume,
        warnings=tuple(warnings),
    )


def _sans(config: Mapping[str, list[str]], node: NodeSettings, advertised: str) -> tuple[str, ...]:
    """K3s' own and those asked for; those of the kubernetes Service belong to the control plane itself."""
    own = ["127.0.0.1", "localhost", node.name, node.internal_ip, advertised]
    return tuple(dict.fromkeys([*own, *_split(config, "tls-san")]))


def _tls(files: Mapping[str, str], *, mounted: bool) -> dict[str, str]:
    """PEM by name under server/tls; the data disk, once mounted, hides what user data itself put there."""
    staged = {name: text for path, text in files.items() if (name := _under(path, _STAGED_TLS))}
    fetched = parameter_files(files)
    there = {
        name: text
        for path, text in files.items()
        if (name := _under(path, f"{DATA}/tls")) and (path in fetched or not mounted)
    }
    return {name: text for name, text in {**staged, **there}.items() if name in TLS_NAMES}


def _under(path: str, folder: str) -> str:
    return path.removeprefix(f"{folder}/") if path.startswith(f"{folder}/") else ""


def _node(
    files: Mapping[str, str], config: Mapping[str, list[str]], settings: Mapping[str, str], machine: Machine
) -> NodeSettings:
    internal = _one(config, "node-ip") or machine.private_ip
    if internal != machine.private_ip:
        raise _RefusedError(f"flannel exited: failed to find interface with specified node ip {internal}")
    pairs = [each.partition("=") for each in _split(config, "node-label")]
    labels = {key: value for key, _, value in pairs}
    taints = _split(config, "node-taint")
    _check_labels(labels)
    for taint in taints:
        try:
            check_taints("node-taint", [taint])
        except ArgsError as error:
            text = f'invalid argument "{taint}" for "--register-with-taints" flag: invalid taint spec: {taint}'
            raise _RefusedError(f"kubelet exited: {text}") from error
    return NodeSettings(
        name=(_one(config, "node-name") or f"ip-{machine.private_ip.replace('.', '-')}").lower(),
        labels=labels,
        taints=tuple(taints),
        internal_ip=internal,
        external_ip=_one(config, "node-external-ip") or None,
        kubelet_version=settings.get("K3S_VERSION", "unknown"),
        password=files.get("/etc/rancher/node/password", "").strip() or f"made by {machine.id}",
    )


def _check_labels(labels: Mapping[str, str]) -> None:
    for key, value in labels.items():
        try:
            check_node_labels("node-label", {key: value})
        except ArgsError as error:
            reserved = "NodeRestriction" in str(error)
            text = (
                f"unknown 'kubernetes.io' or 'k8s.io' labels specified with --node-labels: [{key}]"
                if reserved
                else f"invalid node labels: '{key}={value}' - {error}"
            )
            raise _RefusedError(f"kubelet exited: {text}") from error


def _known(role: str) -> frozenset[str]:
    """The keys that K3s takes; ``v`` and the like are not told from their long forms."""
    return SERVER_KEYS if role == "server" else AGENT_KEYS


def _secret(files: Mapping[str, str], config: Mapping[str, list[str]], key: str) -> str:
    """A setting that may stand in a file of its own."""
    path = _one(config, f"{key}-file")
    if not path:
        return _one(config, key)
    if path not in files:
        raise _RefusedError(f"open {path}: no such file or directory")
    return files[path].strip()


def _one(config: Mapping[str, list[str]], key: str) -> str:
    values = config.get(key) or [""]
    return values[-1]


def _split(config: Mapping[str, list[str]], key: str) -> list[str]:
    return [part.strip() for value in config.get(key, []) for part in value.split(",") if part.strip()]
