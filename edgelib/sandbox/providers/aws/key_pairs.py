"""aws:ec2/keyPair:KeyPair."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from typing import Any, ClassVar

from edgelib.sandbox.providers.aws.ec2 import REGION, TAGS, Api, Ec2Object
from edgelib.sandbox.providers.aws.session import AwsSession
from edgelib.sandbox.providers.properties import Property, outputs


def _key_itself(text: str) -> list[str]:
    return text.split()[:2]  # type and key; the comment means nothing


class KeyPair(Ec2Object):
    """An imported public key; the id is its name."""

    token = "aws:ec2/keyPair:KeyPair"  # noqa: S105 - a type token
    api = Api(
        noun="key-pair", create="import_key_pair", created="KeyName", describe="describe_key_pairs", listed="KeyPairs",
        id="KeyName", delete="delete_key_pair",
    )  # fmt: skip
    sent = ("keyName",)
    remote: ClassVar[Mapping[str, str]] = {"fingerprint": "KeyFingerprint"}
    properties = (
        Property(name="keyName", autoname=True, replaces=True),
        Property(name="publicKey", required=True, replaces=True, normal=_key_itself),
        *outputs("arn", "fingerprint", "keyPairId", "keyType"),
        *TAGS, REGION,
    )  # fmt: skip

    def arguments(self, session: AwsSession, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The key as bytes."""
        return {"PublicKeyMaterial": inputs["publicKey"].encode()}

    def tagged_id(self, id: str, state: Mapping[str, Any]) -> str:
        """Tags hang on the key pair's id, not on its name."""
        return state["keyPairId"]
