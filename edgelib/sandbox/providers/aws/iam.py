"""IAM roles and what hangs on them: aws:iam Role, RolePolicy, RolePolicyAttachment, InstanceProfile."""
# ruff: noqa: A002, ARG002 - the contract of resource types gives every method the same arguments, and `id` is the engine's word

from collections.abc import Mapping
from typing import Any, ClassVar, Optional

from edgelib.sandbox.providers.aws.iam_common import IamObject, date, policy_text
from edgelib.sandbox.providers.aws.resource import AwsResource
from edgelib.sandbox.providers.aws.session import AwsSession, pages, unless_missing
from edgelib.sandbox.providers.aws.tags import TAGS, as_map, tag_state
from edgelib.sandbox.providers.properties import Kind, Property, outputs
from edgelib.sandbox.providers.resource import Created, Request
from edgelib.sandbox.providers.values import mapping_of

_ATTACHED = "AttachedPolicies[].PolicyArn"


class Role(IamObject):
    """The id is its name. Inline and managed policies are resources of their own."""

    token = "aws:iam/role:Role"  # noqa: S105 - a type token
    noun, key, answer = "role", "RoleName", "Role"
    sent: ClassVar[Mapping[str, str]] = {
        "name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument", "description": "Description", "path": "Path",
        "maxSessionDuration": "MaxSessionDuration", "permissionsBoundary": "PermissionsBoundary",
    }  # fmt: skip
    properties = (
        Property(name="name", autoname=True, replaces=True),
        Property(name="assumeRolePolicy", kind=Kind.JSON, required=True),
        Property(name="description"),
        Property(name="path", default="/", replaces=True),
        Property(name="maxSessionDuration", kind=Kind.INTEGER, default=3600),
        Property(name="permissionsBoundary"),
        Property(name="forceDetachPolicies", kind=Kind.BOOLEAN, default=False),
        *outputs("arn", "createDate", "uniqueId", "namePrefix", "managedPolicyArns", "inlinePolicies"),
        *TAGS,
    )

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Get it, with the names of what is attached."""
        client = self.client(session, state)
        role = self.item(client, id)
        if role is None:
            return None
        attached = pages(client, "list_attached_role_policies", _ATTACHED, RoleName=id)
        return {
            "name": id,
            "namePrefix": "",
            "assumeRolePolicy": policy_text(role["AssumeRolePolicyDocument"]),
            "description": role.get("Description") or None,
            "path": role["Path"],
            "maxSessionDuration": role.get("MaxSessionDuration", 3600),
            "permissionsBoundary": mapping_of(role.get("PermissionsBoundary")).get("PermissionsBoundaryArn"),
            "arn": role["Arn"],
            "createDate": date(role["CreateDate"]),
            "uniqueId": role["RoleId"],
            "managedPolicyArns": sorted(attached),
            "inlinePolicies": [],
            **tag_state(session, as_map(role.get("Tags")), state),
        }

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """Each part has its own call."""
        if "assumeRolePolicy" in changed:
            client.update_assume_role_policy(RoleName=id, PolicyDocument=new["assumeRolePolicy"])
        if changed & {"description", "maxSessionDuration"}:
            client.update_role(
                RoleName=id, Description=new.get("description", ""), MaxSessionDuration=new["maxSessionDuration"]
            )
        if "permissionsBoundary" in changed and new.get("permissionsBoundary"):
            client.put_role_permissions_boundary(RoleName=id, PermissionsBoundary=new["permissionsBoundary"])
        elif "permissionsBoundary" in changed:
            client.delete_role_permissions_boundary(RoleName=id)

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Out of its profiles first; with `forceDetachPolicies` also off its policies."""
        profiles = "InstanceProfiles[].InstanceProfileName"
        for name in list(pages(client, "list_instance_profiles_for_role", profiles, RoleName=id)):
            client.remove_role_from_instance_profile(InstanceProfileName=name, RoleName=id)
        if state.get("forceDetachPolicies"):
            for arn in list(pages(client, "list_attached_role_policies", _ATTACHED, RoleName=id)):
                client.detach_role_policy(RoleName=id, PolicyArn=arn)
            for name in list(pages(client, "list_role_policies", "PolicyNames", RoleName=id)):
                client.delete_role_policy(RoleName=id, PolicyName=name)
        super().remove(client, id, state)


class RolePolicy(AwsResource):
    """A policy inside a role; the id is `<role>:<name>`."""

    service = "iam"
    token = "aws:iam/rolePolicy:RolePolicy"  # noqa: S105 - a type token
    properties = (
        Property(name="name", autoname=True, replaces=True),
        Property(name="role", required=True, replaces=True),
        Property(name="policy", kind=Kind.JSON, required=True),
        *outputs("namePrefix"),
    )

    @staticmethod
    def _put(client: Any, inputs: Mapping[str, Any]) -> None:  # putting it twice is putting it once
        client.put_role_policy(RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"])

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """Put it."""
        self._put(self.client(request.session, inputs), inputs)
        return Created(f"{inputs['role']}:{inputs['name']}")

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Get it."""
        role, _, name = id.partition(":")
        client = self.client(session, state)
        found = unless_missing(lambda: client.get_role_policy(RoleName=role, PolicyName=name))
        if found is None:
            return None
        return {"name": name, "namePrefix": "", "role": role, "policy": policy_text(found["PolicyDocument"])}

    def modify(self, client: Any, id: str, old: Mapping[str, Any], new: Mapping[str, Any], changed: set[str]) -> None:
        """Put it."""
        self._put(client, new)

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Delete it."""
        role, _, name = id.partition(":")
        client.delete_role_policy(RoleName=role, PolicyName=name)


class RolePolicyAttachment(AwsResource):
    """A managed policy on a role; the id is `<role>/<policy ARN>`."""

    service = "iam"
    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"  # noqa: S105 - a type token
    properties = (
        Property(name="role", required=True, replaces=True),
        Property(name="policyArn", required=True, replaces=True),
    )

    def create(self, request: Request[AwsSession], inputs: Mapping[str, Any]) -> Created:
        """Attach it: attaching it twice is attaching it once."""
        client = self.client(request.session, inputs)
        client.attach_role_policy(RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return Created(f"{inputs['role']}/{inputs['policyArn']}")

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Look for it on the role."""
        role, _, arn = id.partition("/")
        client = self.client(session, state)
        attached = unless_missing(lambda: list(pages(client, "list_attached_role_policies", _ATTACHED, RoleName=role)))
        return {"role": role, "policyArn": arn} if arn in (attached or ()) else None

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Detach it."""
        role, _, arn = id.partition("/")
        client.detach_role_policy(RoleName=role, PolicyArn=arn)


class InstanceProfile(IamObject):
    """The id is its name. It holds one role, which changes in place."""

    token = "aws:iam/instanceProfile:InstanceProfile"  # noqa: S105 - a type token
    noun, key, answer = "instance_profile", "InstanceProfileName", "InstanceProfile"
    sent: ClassVar[Mapping[str, str]] = {"name": "InstanceProfileName", "path": "Path"}
    properties = (
        Property(name="name", autoname=True, replaces=True),
        Property(name="path", default="/", replaces=True),
        Property(name="role"),
        *outputs("arn", "createDate", "uniqueId", "namePrefix"),
        *TAGS,
    )

    @staticmethod
    def _role(client: Any, name: str) -> Optional[str]:
        roles = client.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
        return roles[0]["RoleName"] if roles else None

    def settle(self, request: Request[AwsSession], id: str, inputs: Mapping[str, Any]) -> None:
        """The wanted role and no other."""
        client, wanted = self.client(request.session, inputs), inputs.get("role")
        current = self._role(client, id)
        if current == wanted:
            return
        if current:
            client.remove_role_from_instance_profile(InstanceProfileName=id, RoleName=current)
        if wanted:
            try:
                client.add_role_to_instance_profile(InstanceProfileName=id, RoleName=wanted)
            except Exception:
                if self._role(client, id) != wanted:  # the answer to the first of several attempts may be lost
                    raise

    def read(self, session: AwsSession, id: str, state: Mapping[str, Any]) -> Optional[Mapping[str, Any]]:
        """Get it."""
        found = self.item(self.client(session, state), id)
        if found is None:
            return None
        return {
            "name": id,
            "namePrefix": "",
            "path": found["Path"],
            "role": found["Roles"][0]["RoleName"] if found["Roles"] else None,
            "arn": found["Arn"],
            "createDate": date(found["CreateDate"]),
            "uniqueId": found["InstanceProfileId"],
            **tag_state(session, as_map(found.get("Tags")), state),
        }

    def remove(self, client: Any, id: str, state: Mapping[str, Any]) -> None:
        """Empty it first."""
        current = self._role(client, id)
        if current:
            leave = client.remove_role_from_instance_profile
            unless_missing(lambda: leave(InstanceProfileName=id, RoleName=current))
        super().remove(client, id, state)
