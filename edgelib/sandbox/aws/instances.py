# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
# pyright: reportPrivateUsage=false
# ruff: noqa: SLF001
# Why: moto types its internals in part, and keeps some of them to itself.
"""Instances: they pass through their states, start on given interfaces, and leave nothing behind when terminated."""

import base64
from datetime import UTC, datetime
from functools import partial
from typing import Any, Optional

from moto.core.responses import ActionResult, EmptyResult
from moto.core.types import Base64EncodedString
from moto.ec2.models.instances import Instance, InstanceState, Reservation
from moto.ec2.utils import convert_tag_spec
from moto.iam.models import iam_backends

from edgelib.sandbox.aws.core import refusal, shown_as_its_base
from edgelib.sandbox.aws.launches import Launch, LaunchesBackend, check_user_data
from edgelib.sandbox.aws.volumes import VolumesResponses

CONSOLE_BYTES = 64 * 1024
"""How much of a console EC2 keeps (botocore's text of GetConsoleOutput)."""

_CODES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
_ONLY_WHILE_STOPPED = {"instance_type", "user_data", "ebs_optimized", "kernel", "ramdisk"}


@shown_as_its_base
class SandboxInstance(Instance):
    """An instance; a terminated one has no interfaces any more."""

    asked_credits: Optional[str] = None
    boots: int = 1
    """How often it was booted: by its launch, and by each start and reboot since."""

    @property
    def cpu_credits(self) -> str:
        """The CPU credit option: what was asked for, else the default of the family (EC2 user guide)."""
        return self.asked_credits or ("standard" if self.instance_type.startswith("t2.") else "unlimited")

    def enter(self, state: str) -> None:
        """Be in a state, by its name."""
        self._state.name, self._state.code = state, _CODES[state]

    @property
    def private_ip(self) -> Optional[str]:
        return self.nics[0].private_ip_address if self.nics else None

    @property
    def private_ip_address(self) -> Optional[str]:
        return self.private_ip

    @property
    def private_dns_name(self) -> str:
        return super().private_dns_name if self.nics else ""

    @property
    def public_ip(self) -> Optional[str]:
        return self.nics[0].public_ip if self.nics else None

    @property
    def public_ip_address(self) -> Optional[str]:
        return self.public_ip

    def terminate(self) -> InstanceState:
        """Be terminated at once: interfaces and disks that are to go with the instance go, others are free."""
        backend = self.ec2_backend
        for interface in list(self.nics.values()):
            interface.stop()
            self.detach_eni(interface)
            if interface.delete_on_termination:
                backend.remove_interface(interface)
        self.nics = {}
        return super().terminate()


class InstancesBackend(LaunchesBackend):
    """Instances of a Region."""

    def run_instances(
        self, image_id: Optional[str], count: int, user_data: Any, security_group_names: list[str], **asked: Any
    ) -> Reservation:
        launch = self.plan_launch(image_id, user_data, asked)
        data = launch.template
        asked |= {
            "nics": launch.nics,
            "subnet_id": launch.subnet_id,
            "block_device_mappings": launch.disks,
            "metadata_options": asked.get("metadata_options") or data.get("MetadataOptions") or {},
            "disable_api_termination": asked.get("disable_api_termination", data.get("DisableApiTermination", False)),
            "tags": _with_template_tags(asked.get("tags") or {}, data),
        }
        user_data = user_data or data.get("UserData")
        interface_tags = asked["tags"].get("network-interface", {})
        reservation = self._all_or_none(launch.image_id, count, user_data, security_group_names, asked)
        given = asked.get("iam_instance_profile_name") or asked.get("iam_instance_profile_arn")
        for instance in reservation.instances:
            self._after_launch(instance, launch, interface_tags)
            profile = data.get("IamInstanceProfile")
            if profile and not given:
                self.associate_iam_instance_profile(instance.id, profile.get("Name"), profile.get("Arn"))
            self._pass_through(instance, "pending", "running")
        return reservation

    def _all_or_none(self, image_id: str, count: int, user_data: Any, names: list[str], asked: dict[str, Any]) -> Any:
        """Launch, and leave nothing behind when that fails half way."""
        before = set(self.reservations)
        try:
            return super().run_instances(image_id, count, user_data, names, **asked)
        except Exception:
            for reservation_id in set(self.reservations) - before:
                for instance in self.reservations[reservation_id].instances:
                    instance.terminate()
                self.reservations.pop(reservation_id)
            raise

    def _pass_through(self, instance: Any, state: str, final: str) -> None:
        """Be in a state for a while, and then in the final one."""
        instance.enter(state)
        self.transitions.begin(instance.id, self.clock.now(), partial(instance.enter, final))

    def _after_launch(self, instance: Any, launch: Launch, interface_tags: dict[str, str]) -> None:
        for nic in launch.nics:
            interface = instance.nics[int(nic["DeviceIndex"])]
            interface.delete_on_termination = bool(nic.get("DeleteOnTermination"))
            if nic.get("AssociateCarrierIpAddress"):
                interface.carrier_ip = self.draw_address()
            if "NetworkInterfaceId" not in nic:
                interface.add_tags(interface_tags)
        instance.security_groups = list(instance.nics[0]._group_set)
        instance.source_dest_check = instance.nics[0].source_dest_check

    def terminate_instances(self, instance_ids: list[str]) -> list[tuple[Instance, InstanceState]]:
        if not instance_ids:
            raise refusal("InvalidParameterCombination", "No instances specified")
        instances = self.get_multi_instances_by_id(instance_ids)
        for instance in instances:
            if instance.disable_api_termination in (True, "true"):
                text = (
                    f"The instance '{instance.id}' may not be terminated. Modify its 'disableApiTermination' instance"
                )
                raise refusal("OperationNotPermitted", f"{text} attribute and try again.")
        before = [(instance, InstanceState(instance.state, instance.state_code)) for instance in instances]
        for instance in instances:
            if instance.state not in ("shutting-down", "terminated"):
                instance.enter("shutting-down")
                self.transitions.begin(instance.id, self.clock.now(), instance.terminate)
        return before

    def stop_instances(self, instance_ids: list[str]) -> list[tuple[Instance, InstanceState]]:
        self._check_state(instance_ids, "stopped", "running", "stopping", "stopped")
        stopped = super().stop_instances(instance_ids)
        for instance, previous in stopped:
            if previous.name == "running":
                self._pass_through(instance, "stopping", "stopped")
        return stopped

    def start_instances(self, instance_ids: list[str]) -> list[tuple[Instance, InstanceState]]:
        self._check_state(instance_ids, "started", "stopped", "running", "pending")
        for instance in self.get_multi_instances_by_id(instance_ids):
            self._check_capacity(Launch("", instance.instance_type, instance.availability_zone or "", "", [], []))
        started = super().start_instances(instance_ids)
        for instance, previous in started:
            if previous.name == "stopped":
                instance.boots += 1
                self._pass_through(instance, "pending", "running")
        return started

    def reboot_instances(self, instance_ids: list[str]) -> list[Instance]:
        self._check_state(instance_ids, "rebooted", "running")
        rebooted = super().reboot_instances(instance_ids)
        for instance in rebooted:
            instance.boots += 1
        return rebooted

    def _check_state(self, instance_ids: list[str], to_be: str, *allowed: str) -> None:
        for instance in self.get_multi_instances_by_id(instance_ids):
            if instance.state not in allowed:
                text = f"The instance '{instance.id}' is not in a state from which it can be {to_be}."
                raise refusal("IncorrectInstanceState", text)

    def modify_instance_attribute(self, instance_id: str, key: str, value: Any) -> Instance:
        instance = self.get_instance(instance_id)
        if key in _ONLY_WHILE_STOPPED and instance.state != "stopped":
            text = f"The instance '{instance_id}' is not in the 'stopped' state."
            raise refusal("IncorrectInstanceState", text)
        if key == "source_dest_check" and instance.nics:
            instance.nics[0].source_dest_check = value
        return super().modify_instance_attribute(instance_id, key, value)

    def modify_instance_security_groups(self, instance_id: str, new_group_id_list: list[str]) -> Instance:
        instance = self.get_instance(instance_id)
        self.modify_network_interface_attribute(instance.nics[0].id, new_group_id_list)
        return instance


class InstancesResponses(VolumesResponses):
    """Calls about instances."""

    sandbox: InstancesBackend

    def run_instances(self) -> ActionResult:
        nics, template = self._get_param("NetworkInterfaces", []), self._get_param("LaunchTemplate", {})
        if template:
            nics = nics or self.sandbox._get_template_from_args(template).data.get("NetworkInterfaces")
        for parameter, what in (("SubnetId", "subnet ID"), ("SecurityGroupIds", "security groups")):
            if nics and self._get_param(parameter):
                text = f"Network interfaces and an instance-level {what} may not be specified on the same request"
                raise refusal("InvalidParameterCombination", text)
        self._check_profile()
        self.params["MinCount"] = self._get_param("MaxCount")  # moto launches the least that is asked for, AWS the most
        result = super().run_instances()
        if self._get_bool_param("DisableApiTermination", False):
            for instance in result.result.instances:
                instance.disable_api_termination = True
        if credits_option := self._get_param("CreditSpecification.CpuCredits"):
            for instance in result.result.instances:
                instance.asked_credits = credits_option
        return result

    def modify_instance_attribute(self) -> ActionResult:
        raw = self._get_param("UserData.Value")
        if not isinstance(raw, bytes):
            return super().modify_instance_attribute()
        encoded = Base64EncodedString(base64.b64encode(raw).decode())  # moto takes the decoded blob for an encoded one
        check_user_data(encoded)
        self.sandbox.modify_instance_attribute(self._get_param("InstanceId"), "user_data", encoded)
        return EmptyResult()

    def get_console_output(self) -> ActionResult:
        result = super().get_console_output()
        instance_id = result.result["InstanceId"]
        file = self.sandbox.consoles / instance_id / "console.log" if self.sandbox.consoles else None
        if file is not None and file.is_file():
            result.result["Timestamp"] = datetime.fromtimestamp(file.stat().st_mtime, tz=UTC)
            result.result["Output"] = base64.b64encode(file.read_bytes()[-CONSOLE_BYTES:]).decode()
        return result

    def describe_instance_credit_specifications(self) -> ActionResult:
        found = self.sandbox.describe_instance_credit_specifications(self._get_param("InstanceIds", []))
        rows = [{"InstanceId": instance.id, "CpuCredits": instance.cpu_credits} for instance in found]
        return ActionResult({"InstanceCreditSpecifications": rows})

    def modify_instance_credit_specification(self) -> ActionResult:
        done: list[dict[str, str]] = []
        for row in self._get_param("InstanceCreditSpecifications", []):
            self.sandbox.get_instance(row["InstanceId"]).asked_credits = row["CpuCredits"]
            done.append({"InstanceId": row["InstanceId"]})
        return ActionResult({"SuccessfulInstanceCreditSpecifications": done})

    def monitor_instances(self) -> ActionResult:
        return self._set_monitoring("enabled", "pending")

    def unmonitor_instances(self) -> ActionResult:
        return self._set_monitoring("disabled", "disabling")

    def _set_monitoring(self, state: str, shown: str) -> ActionResult:
        instances = self.sandbox.get_multi_instances_by_id(self._get_param("InstanceIds", []))
        for instance in instances:
            instance.monitoring_state = state
        rows = [{"InstanceId": instance.id, "Monitoring": {"State": shown}} for instance in instances]
        return ActionResult({"InstanceMonitorings": rows})

    def _check_profile(self) -> None:
        name = self._get_param("IamInstanceProfile.Name")
        profiles = iam_backends[self.current_account][self.partition].get_instance_profiles()
        if name and name not in {profile.name for profile in profiles}:
            text = f"Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name"
            raise refusal("InvalidParameterValue", text)

    def _parse_block_device_mapping(self) -> list[dict[str, Any]]:
        """The mappings as asked for; moto fills in values of its own, and refuses a mapping without a size."""
        return self._get_param("BlockDeviceMappings", [])

    def describe_instances(self) -> ActionResult:
        result = super().describe_instances()
        ids = [instance.id for reservation in result.result["Reservations"] for instance in reservation.instances]
        return super().describe_instances() if self.sandbox.transitions.look(ids) else result

    def describe_instance_status(self) -> ActionResult:
        result = super().describe_instance_status()
        ids = [instance.id for instance in result.result["InstanceStatuses"]]
        return super().describe_instance_status() if self.sandbox.transitions.look(ids) else result


def _with_template_tags(tags: dict[str, dict[str, str]], template: dict[str, Any]) -> dict[str, dict[str, str]]:
    """The request's tags over the launch template's, by resource type."""
    ours = convert_tag_spec(template.get("TagSpecifications", []))
    return {kind: {**ours.get(kind, {}), **tags.get(kind, {})} for kind in {*ours, *tags}}
