"""kubernetes:helm.sh/v3:Release, by the helm binary."""
# ruff: noqa: A001, A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Optional, cast

import yaml

from edgelib.sandbox.providers.kubernetes.helm_binary import Helm, HelmError, flags, helm_of
from edgelib.sandbox.providers.kubernetes.manifests import parsed
from edgelib.sandbox.providers.kubernetes.objects import metadata_of, split_identity
from edgelib.sandbox.providers.kubernetes.settings import Session
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, ProviderError, Request, Resource
from edgelib.sandbox.providers.values import list_of, mapping_of

DEFAULT_SECONDS: Final = 300.0

_BOTH: Final = (
    ("atomic", "--atomic"), ("dependencyUpdate", "--dependency-update"), ("description", "--description"), ("devel", "--devel"),
    ("disableOpenapiValidation", "--disable-openapi-validation"), ("disableWebhooks", "--no-hooks"), ("keyring", "--keyring"),
    ("renderSubchartNotes", "--render-subchart-notes"), ("skipCrds", "--skip-crds"), ("takeOwnership", "--take-ownership"),
    ("verify", "--verify"), ("version", "--version"),
)  # fmt: skip
_INSTALL: Final = (("createNamespace", "--create-namespace"), ("replace", "--replace"))
_UPGRADE: Final = (
    ("cleanupOnFail", "--cleanup-on-fail"), ("forceUpdate", "--force"), ("maxHistory", "--history-max"),
    ("resetValues", "--reset-values"), ("reuseValues", "--reuse-values"),
)  # fmt: skip


def _switches(*names: str) -> tuple[Property, ...]:
    return tuple(Property(name=name, kind=Kind.BOOLEAN) for name in names)


def _refused(name: str, kind: Kind = Kind.BOOLEAN) -> Property:
    reason = "is not implemented by edgelib's stand-in: leave it out, or install the official plugin"
    return Property(name=name, kind=kind, problem=lambda value: reason if value else None)


_REPOSITORY: Final = (
    Property(name="repo"), Property(name="username"), Property(name="password", secret=True), Property(name="caFile"),
    Property(name="certFile"), Property(name="keyFile"),
)  # fmt: skip


class Release(Resource[Session]):
    """A Helm release. A release that exists but failed stays in the state, and the next `up` upgrades it."""

    token = "kubernetes:helm.sh/v3:Release"  # noqa: S105 - a type token
    properties = (
        Property(name="name", autoname=True, replaces=True),
        Property(name="namespace", computed=True, replaces=True),
        Property(name="chart", required=True),
        Property(name="version", computed=True),
        Property(name="values", kind=Kind.ANY),
        Property(name="valueYamlFiles", kind=Kind.ANY),
        Property(name="repositoryOpts", kind=Kind.OBJECT, fields=_REPOSITORY),
        Property(name="timeout", kind=Kind.INTEGER),
        Property(name="maxHistory", kind=Kind.INTEGER),
        Property(name="description"),
        Property(name="keyring"),
        Property(name="compat"),
        *_switches(
            "atomic", "cleanupOnFail", "createNamespace", "dependencyUpdate", "devel", "disableOpenapiValidation", "disableWebhooks",
            "forceUpdate", "renderSubchartNotes", "replace", "resetValues", "reuseValues", "skipAwait", "skipCrds", "takeOwnership",
            "verify", "waitForJobs",
        ),
        _refused("allowNullValues"), _refused("disableCRDHooks"), _refused("lint"), _refused("recreatePods"),
        _refused("postrender", Kind.STRING),
        *outputs("resourceNames"),
        *outputs("status", unsettled_by=("chart", "version", "values", "valueYamlFiles", "repositoryOpts")),
    )  # fmt: skip

    def __init__(self) -> None:
        self._failed: dict[str, HelmError] = {}

    def create(self, request: Request[Session], inputs: Mapping[str, Any]) -> Created:
        """Install it. What is there after a failure is kept, with `settle` to say why it failed."""
        namespace, name = inputs.get("namespace") or request.session.namespace(), inputs["name"]
        id = f"{namespace}/{name}"
        with helm_of(request.session) as helm:
            if _metadata(helm, namespace, name) is not None:
                raise ProviderError(f"the Helm release {id} already exists: import it, or give this one another name")
            try:
                _install(helm, "install", request, namespace, inputs)
            except HelmError as error:
                if _metadata(helm, namespace, name) is None:
                    raise
                self._failed[id] = error
        return Created(id)

    def settle(self, request: Request[Session], id: str, inputs: Mapping[str, Any]) -> None:
        """Upgrade a release that has failed before."""
        failure = self._failed.pop(id, None)
        if failure is not None:
            raise failure
        namespace, name = _place(request.session, id)
        with helm_of(request.session) as helm:
            if mapping_of(_metadata(helm, namespace, name)).get("status") != "deployed":
                _install(helm, "upgrade", request, namespace, {**inputs, "name": name})

    def read(self, session: Session, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """The release as helm has it."""
        namespace, name = _place(session, id)
        with helm_of(session) as helm:
            found = _metadata(helm, namespace, name)
            if found is None:
                return None
            values = helm.read("get", "values", name, "--namespace", namespace)
            manifest = helm.run("get", "manifest", name, "--namespace", namespace)
        seen = {
            "id": f"{namespace}/{name}",
            "name": name,
            "namespace": namespace,
            "version": found.get("version"),
            "status": {
                key: found.get(key)
                for key in ("status", "chart", "version", "appVersion", "name", "namespace", "revision")
            },
            "resourceNames": _resource_names(manifest),
        }
        if state.get("reuseValues") or state.get("valueYamlFiles"):
            return seen  # what helm has is more than the program's `values`
        return {**seen, "values": values or {}} if values or state.get("values") is not None else seen

    def update(
        self, request: Request[Session], id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]
    ) -> Mapping[str, Any]:
        """Upgrade it."""
        namespace, name = _place(request.session, id)
        if changed - {"timeout", "skipAwait", "atomic", "compat", "maxHistory", "cleanupOnFail"}:
            with helm_of(request.session) as helm:
                _install(helm, "upgrade", request, namespace, {**new, "name": name})
        return {}

    def delete(self, request: Request[Session], id: str, state: Mapping[str, Any]) -> None:
        """Uninstall it and wait until its objects are gone."""
        namespace, name = _place(request.session, id)
        seconds = _seconds(request, state)
        wait = [] if state.get("skipAwait") else ["--wait"]
        place = ["--namespace", namespace, "--ignore-not-found"]
        with helm_of(request.session) as helm:
            helm.run("uninstall", name, *place, *wait, "--timeout", f"{seconds:g}s", seconds=seconds)


def _place(session: Session, id: str) -> tuple[str, str]:
    namespace, name = split_identity(id)
    return namespace or session.namespace(), name


def _metadata(helm: Helm, namespace: str, name: str) -> Optional[Mapping[str, Any]]:
    return helm.read("get", "metadata", name, "--namespace", namespace)


def _seconds(request: Request[Session], inputs: Mapping[str, Any]) -> float:
    return request.timeout or float(inputs.get("timeout") or DEFAULT_SECONDS)


def _install(helm: Helm, verb: str, request: Request[Session], namespace: str, inputs: Mapping[str, Any]) -> None:
    """`helm install` or `helm upgrade`; the values go in by standard input."""
    seconds, chart = _seconds(request, inputs), str(inputs["chart"])
    options = mapping_of(inputs.get("repositoryOpts"))
    where: list[str] = []
    if options.get("password") or options.get("username"):
        chart = f"{helm.add_repository(options)}/{chart}"
    elif options.get("repo"):
        files = (("caFile", "--ca-file"), ("certFile", "--cert-file"), ("keyFile", "--key-file"))
        where = ["--repo", str(options["repo"]), *flags(files, options)]
    more = flags(_BOTH, inputs) + flags(_INSTALL if verb == "install" else _UPGRADE, inputs)
    if verb == "upgrade" and not inputs.get("reuseValues"):
        more += [] if inputs.get("resetValues") else ["--reset-values"]  # helm keeps the old ones when it is given none
    if inputs.get("atomic") or not inputs.get("skipAwait"):
        more += ["--wait", *flags((("waitForJobs", "--wait-for-jobs"),), inputs)]
    request.engine.info(f"helm {verb} {inputs['name']} (at most {seconds:g} s)")
    place = ["--namespace", namespace, "--timeout", f"{seconds:g}s", "--values", "-"]
    helm.run(
        verb, str(inputs["name"]), chart, *where, *place, *more, stdin=json.dumps(values_of(inputs)), seconds=seconds
    )


def values_of(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The values of `valueYamlFiles`, one over the other, and `values` over them all. Raises ProviderError for a file that is none."""
    merged: dict[str, Any] = {}
    for index, asset in enumerate(list_of(inputs.get("valueYamlFiles"))):
        source = f"valueYamlFiles[{index}]"
        for document in parsed(_text_of(asset, source), source):
            merged = _over(merged, document)
    return _over(merged, mapping_of(inputs.get("values")))


def _text_of(asset: Any, source: str) -> str:
    given = mapping_of(asset)
    if given.get("text") is not None:
        return str(given["text"])
    if not given.get("path"):
        raise ProviderError(f"{source}: edgelib's stand-in reads assets of text and of files alone")
    try:
        return Path(str(given["path"])).read_text(encoding="utf-8")
    except OSError as error:
        raise ProviderError(f"{source}: {given['path']} cannot be read: {error.strerror}") from None


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _over(cast("Mapping[str, Any]", old), cast("Mapping[str, Any]", value)) if both else value
    return merged


def _resource_names(manifest: str) -> dict[str, list[str]]:
    """Names of the release's objects by "Kind/apiVersion", as the official provider groups them."""
    found: dict[str, list[str]] = {}
    for document in yaml.safe_load_all(manifest):
        if not document:
            continue
        metadata = metadata_of(document)
        name = f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata.get("name"))
        found.setdefault(f"{document.get('kind')}/{document.get('apiVersion')}", []).append(name)
    return found
