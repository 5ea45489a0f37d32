import json

import pulumi
import pulumi_aws as aws
import pytest
from component_sites import (
    AMI,
    ANYWHERE,
    BOSTON,
    CASABLANCA,
    GROUP,
    NEW_YORK,
    asked,
    network,
    refuse,
    security_rules,
    site,
    waits_for,
)
from hypothesis import given
from hypothesis import strategies as st

from edgelib import ArgsError, Egress, IngressArgs, NodePool, NodePoolArgs, WavelengthVpc, zones
from edgelib.components._node_pool_plan import MOST_NODES, plan_node_pool
from edgelib.components._offerings import check_offered
from edgelib.components._placement import place
from edgelib.testing import UNKNOWN, deploy, wavelength_answers

OFFERINGS = "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings"
IN_ZONE = {"zone": BOSTON}


def plan(**args):
    return plan_node_pool(NodePoolArgs(**{"network": network(), **IN_ZONE, **args}))


def built(preview=False, invokes=None, outputs=None, name="edge", **args):
    """Deploys one pool; an argument given as a function is called in the program, where Outputs can be made."""

    def program():
        given = {key: value() if callable(value) else value for key, value in args.items()}
        NodePool(name, {"network": network(), **IN_ZONE, **given})

    return deploy(program, preview=preview, invokes=invokes, outputs=outputs)


def instance(recording, name="edge-1"):
    return recording.one(aws.ec2.Instance, name)


def test_defaults_are_one_node_in_the_zone_with_a_carrier_ip_that_nobody_reaches():
    made = plan()
    assert (made.nodes, made.max_unavailable, made.ingress, made.labels, made.notes) == (("1",), 1, (), {}, ())
    host = made.host
    assert (host.placement.key, host.placement.egress) == (BOSTON, Egress.CARRIER_IP)
    assert (host.instance_type, host.ami, host.root_disk_gib, host.disks) == ("t3.medium", None, 20, ())
    assert not host.termination_protection


def test_the_default_type_is_known_in_wavelength_zones():
    assert plan().host.instance_type in zones.INSTANCE_TYPES


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ({"network": None}, ["NodePoolArgs.network", "is required", "Network.existing"]),
        ({"zone": NEW_YORK}, [f"NodePoolArgs.zone: {NEW_YORK}", "not in this network", f"are: {BOSTON}"]),
        ({"zone": "boston"}, ["NodePoolArgs.zone: 'boston'", "is a city", BOSTON]),
        (
            {"zone": None, "availability_zone": "us-east-1e"},
            ["NodePoolArgs.availability_zone: us-east-1e", "not in this network", "are: parent"],
        ),
        ({"availability_zone": "parent"}, ["NodePoolArgs.availability_zone: parent", BOSTON, "one of the two"]),
        (
            {"egress": "public-ip"},
            ["NodePoolArgs.egress: public-ip", "does not exist in a Wavelength Zone", "carrier-ip or nat"],
        ),
        (
            {"zone": None, "egress": "carrier-ip"},
            ["NodePoolArgs.egress: carrier-ip", "in the Region", "public-ip or nat"],
        ),
        ({"egress": "tunnel"}, ["NodePoolArgs.egress: 'tunnel'", "carrier-ip, public-ip, nat"]),
        ({"count": 0}, ["NodePoolArgs.count: 0", "would build nothing", "leave the pool out"]),
        ({"count": -1}, ["NodePoolArgs.count: -1", "would build nothing"]),
        ({"count": MOST_NODES + 1}, ["NodePoolArgs.count: 101", "more than 100", "split the pool"]),
        (
            {"count": 12, "network": network(cidr="10.0.1.0/28")},
            ["NodePoolArgs.count: 12", "10.0.1.0/28", "11 addresses", "larger block"],
        ),
        ({"max_unavailable": 0}, ["NodePoolArgs.max_unavailable: 0", "never replace a node", "1 or more"]),
        ({"instance_type": "t4g.medium"}, ["NodePoolArgs.instance_type: t4g.medium", "arm64", "t3.medium"]),
        ({"instance_type": "m5.metal"}, ["NodePoolArgs.instance_type: m5.metal", "bare metal", "t3.xlarge"]),
        ({"instance_type": "medium"}, ["NodePoolArgs.instance_type: 'medium'", "is no instance type"]),
        ({"root_disk_gib": 7}, ["NodePoolArgs.root_disk_gib: 7", "8 to 16384"]),
        ({"root_disk_gib": 16385}, ["NodePoolArgs.root_disk_gib: 16385", "8 to 16384"]),
        ({"ami": "ami-12345"}, ["NodePoolArgs.ami: 'ami-12345'", "is no AMI id", "leave it out"]),
        (
            {"disks": {"/dev/sda1": {"size_gib": 8}}},
            ["NodePoolArgs.disks['/dev/sda1']", "no device for data", "/dev/sdf to /dev/sdp"],
        ),
        ({"disks": {"/dev/sdf": {"size_gib": 0}}}, ["NodePoolArgs.disks['/dev/sdf'].size_gib: 0", "1 to 16384"]),
        (
            {"disks": {"/dev/sdf": {"size_gib": 8, "type": "gp3"}}},
            ["NodePoolArgs.disks['/dev/sdf'].type: gp3", "Wavelength Zones", "gp2 only"],
        ),
        (
            {"disks": {"/dev/sdf": {"size_gib": 8, "type": "io2"}}},
            ["DiskArgs.type: 'io2'", "gp2, gp3"],
        ),
        ({"user_data": "#!" + "x" * 16383}, ["NodePoolArgs.user_data: 16385 bytes", "16384", "S3"]),
        ({"user_data": "#!" + "ü" * 8192}, ["NodePoolArgs.user_data: 16386 bytes", "16384"]),
        ({"user_data": "apt install k3s"}, ["NodePoolArgs.user_data", "#cloud-config"]),
        ({"labels": {"-bad": "x"}}, ["NodePoolArgs.labels: '-bad'", "no label key", "prefix"]),
        ({"labels": {"a/b/c": "x"}}, ["NodePoolArgs.labels: 'a/b/c'", "no label key"]),
        ({"labels": {"k" * 64: "x"}}, ["NodePoolArgs.labels", "no label key"]),
        ({"labels": {"role": "edge node"}}, ["NodePoolArgs.labels['role']: 'edge node'", "no label value", "63"]),
        ({"labels": {"role": "v" * 64}}, ["NodePoolArgs.labels['role']", "no label value"]),
        ({"security_group_ids": ["sg-1"] * 5}, ["NodePoolArgs.security_group_ids: 5", "more than the 5", "merge"]),
        ({"tags": {f"k{n}": "" for n in range(50)}}, ["NodePoolArgs.tags: 50", "with Name", "leave some out"]),
        ({"ingress": {"web": {}}}, ["IngressArgs.port: (missing)", "is required"]),
        ({"ingress": {"web": {"port": 80}}}, ["NodePoolArgs.ingress['web']", "exactly one of cidr_blocks"]),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(args, parts):
    refuse(lambda: plan(**args), *parts)


@pytest.mark.parametrize(
    ("args", "bound"),
    [
        ({"count": 11, "network": network(cidr="10.0.1.0/28")}, "nodes"),
        ({"count": MOST_NODES}, "nodes"),
        ({"root_disk_gib": 16384}, "root_disk"),
        ({"user_data": "#!" + "x" * 16382}, "user_data"),
        ({"security_group_ids": ["sg-1"] * 4}, "groups"),
        ({"labels": {"node-role.kubernetes.io/edge": "", "k" * 63: "v" * 63}}, "labels"),
        ({"tags": {f"k{n}": "" for n in range(49)}}, "tags"),
        ({"disks": {f"/dev/sd{letter}": {"size_gib": 1} for letter in "fghijklmnop"}}, "disks"),
        ({"zone": None, "disks": {"/dev/sdf": {"size_gib": 8, "type": "gp3"}}}, "gp3 in the Region"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_limits_themselves_are_allowed(args, bound):
    assert plan(**args).notes == ()


@pytest.mark.parametrize(
    ("about", "args", "egress", "subnet"),
    [
        ({}, {}, "carrier-ip", f"subnet-public-{BOSTON}"),
        ({}, {"egress": "nat"}, "nat", f"subnet-private-{BOSTON}"),
        ({"public": False}, {}, "nat", f"subnet-private-{BOSTON}"),
        ({"nat": False}, {}, "carrier-ip", f"subnet-public-{BOSTON}"),
        ({}, {"zone": None}, "nat", "subnet-private-us-east-1a"),
        ({"nat": False}, {"zone": None}, "public-ip", "subnet-public-us-east-1a"),
        ({"nat": False, "isolated": True}, {"zone": None}, "public-ip", "subnet-public-us-east-1a"),
        ({}, {"zone": None, "egress": "public-ip"}, "public-ip", "subnet-public-us-east-1a"),
    ],
)
def test_the_way_out_decides_the_subnet(about, args, egress, subnet):
    placement = plan(network=network(**about), **args).host.placement
    assert (placement.egress.value, placement.subnet.id) == (egress, subnet)


@pytest.mark.parametrize("zone", [BOSTON, None])
@pytest.mark.parametrize(
    ("about", "egress", "tried"),
    [
        ({"public": False, "nat": False}, None, ""),
        ({"public": False, "nat": False, "isolated": True}, None, " or "),
        ({"public": True, "nat": False, "isolated": True}, "nat", "nat"),
    ],
)
def test_a_pool_without_any_egress_is_refused(zone, about, egress, tried):
    parts = ["NodePoolArgs.network", "no subnet that gives", tried, "could not install anything", "NatStrategy.SINGLE"]
    refuse(lambda: plan(network=network(**about), zone=zone, egress=egress), *parts)


@given(
    public=st.booleans(),
    private=st.sampled_from(["nat", "isolated", None]),
    zone=st.sampled_from([BOSTON, None]),
    egress=st.sampled_from([None, *Egress]),
)
def test_every_planned_pool_has_exactly_one_way_out_and_the_subnet_for_it(public, private, zone, egress):
    about = {"public": public, "nat": private == "nat", "isolated": private == "isolated"}
    try:
        placed = place("X", network(**about), zone, None, egress)
    except ArgsError:
        impossible = {Egress.PUBLIC_IP if zone else Egress.CARRIER_IP}
        possible = {Egress.NAT} if private == "nat" else set()
        possible |= {Egress.CARRIER_IP if zone else Egress.PUBLIC_IP} if public else set()
        assert not possible if egress is None else egress in impossible or egress not in possible
        return
    leads = {
        Egress.CARRIER_IP: "carrier-gateway",
        Egress.PUBLIC_IP: "internet-gateway",
        Egress.NAT: "nat-gateway",
    }[placed.egress]
    assert placed.subnet.egress.value == leads
    assert egress in {None, placed.egress}


@given(count=st.integers(1, 40), more=st.integers(0, 20), lanes=st.integers(1, 5))
def test_a_larger_count_keeps_the_keys_of_all_nodes(count, more, lanes):
    small, large = plan(count=count, max_unavailable=lanes), plan(count=count + more, max_unavailable=lanes)
    assert large.nodes[:count] == small.nodes
    assert len(set(large.nodes)) == count + more
    assert large.host == small.host


@pytest.mark.parametrize("lanes", [1, 2])
def test_growing_registers_the_new_nodes_and_changes_no_other_registration(lanes):
    args = {"disks": {"/dev/sdf": {"size_gib": 5}}, "max_unavailable": lanes}
    two, three = (built(count=count, **args) for count in (2, 3))
    added = asked(three).keys() - asked(two).keys()
    assert {urn: value for urn, value in asked(three).items() if urn not in added} == asked(two)
    names = sorted(each.name for each in three.resources if each.urn in added)
    assert names == ["edge-3"] * 4 + ["edge-3-sdf"] * 2
    for output in ("instance_ids", "private_ips", "carrier_ips"):
        before, after = (recording.named("edge").outputs[output] for recording in (two, three))
        assert before.items() <= after.items()


@pytest.mark.parametrize("lanes", [1, 2, 3, 9])
def test_a_node_waits_for_the_one_max_unavailable_before_it_and_its_disks(lanes):
    recording = built(count=5, max_unavailable=lanes, disks={"/dev/sdf": {"size_gib": 5}})
    by_urn = {each.urn: each.name for each in recording.resources}
    for number in range(1, 6):
        direct = {by_urn[urn] for urn in instance(recording, f"edge-{number}").options.depends_on}
        others = {name for name in direct if name.removesuffix("-sdf") in {f"edge-{n}" for n in range(1, 6)}}
        ahead = number - lanes
        wanted = {f"edge-{ahead}", f"edge-{ahead}-sdf"} if ahead > 0 else set()
        assert others - {f"edge-{number}"} == wanted


def test_an_instance_is_replaced_in_place_of_the_old_one_and_a_new_image_alone_replaces_none():
    assert instance(built()).options.delete_before_replace is True
    assert instance(built()).options.ignore_changes == ("ami",)
    pinned = instance(built(ami=AMI))
    assert pinned.inputs["ami"] == AMI
    assert pinned.options.ignore_changes == ()
    assert pinned.inputs["userDataReplaceOnChange"] is True


def test_the_image_is_canonicals_ubuntu_for_x86_64_unless_pinned():
    (asked_for,) = [each for each in built().invokes if each.token.endswith(":getParameter")]
    assert asked_for.args["name"].startswith("/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/")
    assert [each for each in built(ami=AMI).invokes if each.token.endswith(":getParameter")] == []


def test_disks_are_encrypted_outlive_the_instance_and_are_detached_cleanly():
    recording = site()
    for volume in recording.all(aws.ebs.Volume):
        assert volume.inputs["encrypted"] is True
        assert "Instance" not in {kind for kind, _ in waits_for(recording, volume)}
    attachment = recording.one(aws.ec2.VolumeAttachment, "edge-1-sdf")
    assert attachment.inputs["instanceId"] == instance(recording).id
    assert attachment.inputs["deviceName"] == "/dev/sdf"
    assert attachment.inputs["stopInstanceBeforeDetaching"] is True
    assert attachment.options.delete_before_replace is True


def test_user_data_reaches_the_instance_and_stays_secret():
    recording = built(user_data=lambda: pulumi.Output.secret("#cloud-config\n{}\n"))
    assert instance(recording).inputs["userData"] == "#cloud-config\n{}\n"
    assert "userData" in instance(recording).secret_inputs


def test_user_data_that_is_known_only_later_is_checked_before_an_instance_is_launched():
    launched = []
    watch = {aws.ec2.Instance: lambda new: launched.append(new.name) or {}}
    refuse(
        lambda: built(user_data=lambda: pulumi.Output.from_input("#!" + "x" * 20000), outputs=watch),
        "NodePoolArgs.user_data: 20002 bytes",
        "16384",
    )
    assert launched == []


def test_termination_protection_is_off_until_asked_for():
    assert instance(built()).inputs["disableApiTermination"] is False
    assert instance(built(termination_protection=True)).inputs["disableApiTermination"] is True


def test_labels_are_tags_of_the_instances_and_tags_win():
    labels = {"role": "edge", "example.com/tier": "gold"}
    tags = instance(built(labels=labels, tags={"role": "mine"})).inputs["tags"]
    assert tags == {"Name": "edge-1", "role": "mine", "example.com/tier": "gold"}
    assert built(labels=labels).named("edge").outputs["labels"] == labels


def test_a_pool_opens_nothing_of_itself_but_path_mtu_discovery_from_the_vpc():
    assert security_rules(built(), "edge-nodes") == {
        ("in", "icmp", 3, 4, "10.0.0.0/16"),
        ("out", "tcp", 80, 80, ANYWHERE),
        ("out", "tcp", 443, 443, ANYWHERE),
    }


def test_ingress_opens_what_it_names():
    def rules():
        return {
            "game": IngressArgs(port=7000, to_port=7010, protocol="udp", cidr_blocks=["198.51.100.0/24", ANYWHERE]),
            "ssh": IngressArgs(port=22, security_group_id=pulumi.Output.from_input("sg-bastion")),
        }

    opened = {rule for rule in security_rules(built(ingress=rules), "edge-nodes") if rule[0] == "in"}
    assert opened == {
        ("in", "udp", 7000, 7010, "198.51.100.0/24"),
        ("in", "udp", 7000, 7010, ANYWHERE),
        ("in", "tcp", 22, 22, "sg-bastion"),
        ("in", "icmp", 3, 4, "10.0.0.0/16"),
    }


def test_further_security_groups_come_beside_the_pools_own():
    recording = built(security_group_ids=lambda: ["sg-a", pulumi.Output.from_input("sg-b")])
    own = recording.one(aws.ec2.SecurityGroup).id
    assert recording.one(aws.ec2.NetworkInterface).inputs["securityGroups"] == [own, "sg-a", "sg-b"]


def test_hosts_may_use_session_manager_and_nothing_else_of_aws():
    recording = site()
    policies = [each for each in recording.all(aws.iam.RolePolicy) if each.name != "site-flow-logs"]
    assert len(policies) == 5
    for policy in policies:
        (statement,) = json.loads(policy.inputs["policy"])["Statement"]
        assert {action for action in statement["Action"] if not action.startswith("ssmmessages:")} == {
            "ssm:UpdateInstanceInformation"
        }
    assert recording.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment") == []
    assert [each.name for each in recording.all(aws.iam.Role) if "managedPolicyArns" in each.inputs] == []


def test_the_outputs_are_by_node_name_and_by_kind_of_address():
    recording = site()
    edge, quiet, core, front = (recording.named(name).outputs for name in ("edge", "quiet", "core", "front"))
    nodes = {"edge-1", "edge-2"}
    assert edge["instance_ids"] == {node: instance(recording, node).id for node in nodes}
    assert edge["private_ips"] == {
        node: recording.one(aws.ec2.NetworkInterface, node).outputs["privateIp"] for node in nodes
    }
    assert edge["carrier_ips"] == {node: recording.one(aws.ec2.Eip, node).outputs["carrierIp"] for node in nodes}
    assert front["public_ips"] == {"front-1": recording.one(aws.ec2.Eip, "front-1").outputs["publicIp"]}
    assert (edge["public_ips"], front["carrier_ips"]) == ({}, {})
    for behind_nat in (quiet, core):
        assert (behind_nat["public_ips"], behind_nat["carrier_ips"]) == ({}, {})
    assert edge["role_name"] == recording.one(aws.iam.Role, "edge-node").outputs["name"]
    assert edge["security_group_id"] == recording.one(aws.ec2.SecurityGroup, "edge-nodes").id


def test_a_preview_shows_every_node_with_addresses_unknown():
    recording = built(preview=True, count=2)
    assert {each.name for each in recording.all(aws.ec2.Instance)} == {"edge-1", "edge-2"}
    outputs = recording.named("edge").outputs
    assert outputs["carrier_ips"] in (UNKNOWN, {"edge-1": UNKNOWN, "edge-2": UNKNOWN})
    assert instance(recording).inputs["rootBlockDevice"]["volumeType"] == "gp2"


def offering(*types):
    return wavelength_answers(instance_types={BOSTON: types})


@pytest.mark.parametrize("preview", [False, True])
def test_a_type_that_the_zone_does_not_offer_is_refused_before_an_instance_is_launched(preview):
    launched = []
    watch = {aws.ec2.Instance: lambda new: launched.append(new.name) or {}}
    refuse(
        lambda: built(invokes=offering("t3.xlarge", "r5.2xlarge"), outputs=watch, preview=preview),
        "NodePoolArgs.instance_type: t3.medium",
        f"is not offered in {BOSTON}",
        "use one of r5.2xlarge, t3.xlarge",
    )
    assert launched == []


def test_in_the_region_the_availability_zone_is_asked_about_the_type_alone():
    (asked_for,) = [each for each in built(zone=None).invokes if each.token == OFFERINGS]
    filters = {each["name"]: each["values"] for each in asked_for.args["filters"]}
    assert filters == {"location": ["us-east-1a"], "instance-type": ["t3.medium"]}
    refuse(
        lambda: built(zone=None, instance_type="x2iezn.2xlarge"),
        "NodePoolArgs.instance_type: x2iezn.2xlarge",
        "is not offered in the parent Availability Zone",
        "another zone",
    )


def test_an_instance_waits_for_the_verdict_however_late_it_comes():
    launched = []

    def program():
        where = pulumi.Output.from_input("us-east-1a")
        for number in range(20):  # one after the other: more steps than an instance needs
            where = aws.ssm.Parameter(f"slow-{number}", type="String", value=where).value
        late = network()
        late.availability_zones["parent"].private.availability_zone = where
        NodePool("core", {"network": late, "instance_type": "x2iezn.2xlarge"})

    watch = {aws.ec2.Instance: lambda new: launched.append(new.name) or {}}
    refuse(lambda: deploy(program, outputs=watch), "NodePoolArgs.instance_type: x2iezn.2xlarge", "is not offered")
    assert launched == []


def not_opted_in(preview, managed="managed"):
    nothing_yet = wavelength_answers(opted_out=[GROUP], instance_types={BOSTON: []})

    def program():
        vpc = WavelengthVpc("site", {"zones": [BOSTON], "zone_group_opt_in": managed})
        NodePool("edge", {"network": vpc.network, "zone": BOSTON})

    return deploy(program, preview=preview, invokes=nothing_yet)


def test_a_zone_that_is_not_opted_in_yet_gets_no_verdict_in_a_preview_and_one_once_the_subnet_is_there():
    assert len(not_opted_in(preview=True).all(aws.ec2.Instance)) == 1
    with pytest.raises(ArgsError, match=f"t3.medium is not offered in {BOSTON}; use another zone"):
        not_opted_in(preview=False)


@pytest.mark.parametrize(
    ("offered", "opted_in", "refused"),
    [
        (["t3.medium"], True, False),
        (["t3.medium"], False, False),
        (["t3.xlarge"], False, True),
        ([], False, False),
        ([], True, True),
    ],
)
def test_the_verdict_on_a_type(offered, opted_in, refused):
    def check():
        check_offered("X.instance_type", "t3.medium", BOSTON, offered, opted_in=opted_in)

    if refused:
        refuse(check, "X.instance_type: t3.medium", BOSTON)
    else:
        check()


def test_a_type_not_known_in_wavelength_zones_is_noted_and_left_to_ec2():
    (note,) = plan(instance_type="c6i.large").notes
    assert note.startswith("NodePoolArgs.instance_type: c6i.large is not known")
    assert "t3.medium" in note
    assert plan(zone=None, instance_type="c6i.large").notes == ()
    assert built(instance_type="c6i.large", invokes=offering("c6i.large")).warnings == [note]


EVERYBODY = {"web": {"port": 443, "cidr_blocks": [ANYWHERE]}}


@pytest.mark.parametrize(
    ("zone", "args", "world_facing"),
    [
        (BOSTON, {}, False),
        (CASABLANCA, {}, True),
        ("eu-west-3-wl1-dss-wlz-1", {}, True),
        (CASABLANCA, {"egress": "nat"}, False),
        (BOSTON, {"zone": None, "egress": "public-ip"}, True),
        (BOSTON, {"zone": None, "egress": "nat"}, False),
    ],
)
def test_what_is_open_to_everybody_is_noted_where_that_is_the_whole_internet(zone, args, world_facing):
    notes = plan(**{"network": network(zone), "zone": zone, "ingress": EVERYBODY, **args}).notes
    assert bool(notes) == world_facing
    for note in notes:
        assert note.startswith("NodePoolArgs.ingress: tcp/443 open to 0.0.0.0/0")
        assert "whole internet" in note


def test_the_world_facing_note_is_a_warning_of_the_pool():
    def program():
        NodePool("edge", {"network": network(CASABLANCA), "zone": CASABLANCA, "ingress": EVERYBODY})

    (warning,) = deploy(program).warnings
    assert CASABLANCA in warning
    assert "whole internet" in warning


def test_a_pool_with_named_sources_only_warns_of_nothing():
    named = {"web": {"port": 443, "cidr_blocks": ["10.0.0.0/8"]}}
    assert plan(network=network(CASABLANCA), zone=CASABLANCA, ingress=named).notes == ()
