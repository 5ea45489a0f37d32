"""The example on the real engine, from nothing to nothing. The tests are one story and run in order."""

import pytest

pytestmark = pytest.mark.engine

INSTANCE = "aws:ec2/instance:Instance"
NODE_KINDS = {
    INSTANCE,
    "aws:ec2/networkInterface:NetworkInterface",
    "aws:ec2/eip:Eip",
    "aws:ec2/eipAssociation:EipAssociation",
}


def instance(stack, node):
    (reservation,) = stack.aws("ec2").describe_instances(InstanceIds=[stack.outputs()["nodeInstanceIds"][node]])[
        "Reservations"
    ]
    return reservation["Instances"][0]


def test_account_is_empty_before(boston):
    assert boston.account() == {}


def test_preview_of_the_new_stack(boston):
    previewed = boston.run("preview")
    assert previewed.code == 0, previewed
    assert boston.account() == {}


def test_up_builds_the_site(boston):
    done = boston.up()
    assert done.code == 0, done
    assert set(done.changes) == {"create"}
    outputs = boston.outputs()
    assert sorted(outputs["nodeCarrierIps"]) == ["edge-1", "edge-2"]
    addresses = [outputs["bastionPublicIp"], *outputs["nodeCarrierIps"].values()]
    assert len(set(addresses)) == 3
    assert all(address.startswith("127.") for address in addresses)


def test_node_is_what_the_zone_allows(boston):
    outputs, found = boston.outputs(), instance(boston, "edge-1")
    assert found["State"]["Name"] == "running"
    assert found["Placement"]["AvailabilityZone"] == "us-east-1-wl1-bos-wlz-1"
    assert found["MetadataOptions"]["HttpTokens"] == "required"
    (nic,) = found["NetworkInterfaces"]
    assert nic["Association"]["CarrierIp"] == outputs["nodeCarrierIps"]["edge-1"]
    volumes = boston.aws("ec2").describe_volumes(
        VolumeIds=[disk["Ebs"]["VolumeId"] for disk in found["BlockDeviceMappings"]]
    )["Volumes"]
    assert [(volume["VolumeType"], volume["Encrypted"]) for volume in volumes] == [("gp2", True)]


def test_ssh_config_is_a_secret(boston):
    shown = boston.pulumi("stack", "output", "--json", check=True).stdout
    assert "ProxyJump" not in shown
    assert "ProxyJump bastion" in boston.outputs()["sshConfig"]


def test_second_up_changes_nothing(boston):
    previewed = boston.run("preview", "--expect-no-changes")
    assert previewed.code == 0, previewed
    done = boston.up()
    assert (done.code, set(done.changes)) == (0, {"same"}), done


def test_more_nodes_only_add(boston):
    before = boston.resources()
    boston.configure(nodes=3)
    done = boston.up()
    assert done.code == 0, done
    assert {step[:2] for step in done.steps} == {("create", kind) for kind in NODE_KINDS}, done
    assert {name for _, _, name in done.steps} == {"edge-3"}
    assert before.items() <= boston.resources().items()


def test_instance_type_changes_in_place(boston):
    before = boston.resources()
    boston.configure(instanceType="t3.xlarge")
    done = boston.up()
    assert done.code == 0, done
    assert sorted(done.steps) == [("update", INSTANCE, f"edge-{number}") for number in (1, 2, 3)]
    assert boston.resources() == before
    assert instance(boston, "edge-2")["InstanceType"] == "t3.xlarge"


def test_replacement_rolls_and_keeps_the_addresses(boston):
    before = boston.outputs()
    boston.edit('"package_upgrade": True', '"package_upgrade": False')
    done = boston.up()
    assert done.code == 0, done
    after = boston.outputs()
    assert after["nodeCarrierIps"] == before["nodeCarrierIps"]
    assert after["nodePrivateIps"] == before["nodePrivateIps"]
    assert not set(after["nodeInstanceIds"].values()) & set(before["nodeInstanceIds"].values())
    replaced = [
        (operation, name) for operation, kind, name in done.steps if kind == INSTANCE and operation != "replace"
    ]
    assert replaced[0][0] == "delete-replaced"
    for node in ("edge-1", "edge-2"):  # at most one node is away at any time
        following = f"edge-{int(node[-1]) + 1}"
        assert replaced.index(("create-replacement", node)) < replaced.index(("create-replacement", following))


def test_drift_is_seen_and_mended(boston):
    ec2 = boston.aws("ec2")
    gone = boston.outputs()["nodeInstanceIds"]["edge-3"]
    ec2.terminate_instances(InstanceIds=[gone])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[gone], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    refreshed = boston.run("refresh", "--yes", "--skip-preview")
    assert refreshed.code == 0, refreshed
    assert (INSTANCE, "edge-3") not in boston.resources()
    done = boston.up()
    assert done.code == 0, done
    assert ("create", INSTANCE, "edge-3") in done.steps
    assert boston.outputs()["nodeInstanceIds"]["edge-3"] != gone
    again = boston.run("preview", "--refresh", "--expect-no-changes")
    assert again.code == 0, again


def test_bad_type_is_refused_in_preview_with_what_the_zone_offers(boston):
    boston.configure(instanceType="t3.micro")
    previewed = boston.run("preview")
    boston.configure(instanceType="t3.xlarge")
    assert previewed.code != 0
    assert (
        "NodePoolArgs.instance_type: t3.micro is not offered in us-east-1-wl1-bos-wlz-1; use one of" in previewed.output
    )


def test_fewer_nodes_remove_the_last(boston):
    boston.configure(nodes=1)
    done = boston.up()
    assert done.code == 0, done
    assert {(operation, name) for operation, _, name in done.steps} == {("delete", "edge-2"), ("delete", "edge-3")}


def test_provider_that_dies_in_the_middle_is_recovered_from(boston):
    boston.configure(nodes=2)
    broken = boston.up_with_dying_provider("RunInstances")
    assert broken.code != 0, broken
    done = boston.up()
    assert done.code == 0, done
    alive = boston.aws("ec2").describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    )["Reservations"]
    found = [instance["InstanceId"] for reservation in alive for instance in reservation["Instances"]]
    outputs = boston.outputs()
    assert sorted(found) == sorted([outputs["bastionInstanceId"], *outputs["nodeInstanceIds"].values()])
    assert sorted(outputs["nodeInstanceIds"]) == ["edge-1", "edge-2"]


def test_destroy_leaves_the_account_empty(boston):
    done = boston.destroy()
    assert done.code == 0, done
    assert boston.account() == {}
