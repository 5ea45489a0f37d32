"""One story: examples/boston-k3s from nothing, through what happens to a cluster, to nothing. Each test goes on from the one before."""

import base64
import json
import subprocess
from ipaddress import ip_network
from pathlib import Path

import pytest
from cluster_looks import (
    addresses,
    connect,
    eventually,
    nodes,
    pod,
    ready,
    ready_nodes,
    scheduled,
    taints,
)
from urllib3.exceptions import MaxRetryError

from edgelib.sandbox import lifecycle

pytestmark = pytest.mark.engine

BOSTON = "us-east-1-wl1-bos-wlz-1"
INSTANCE = "aws:ec2/instance:Instance"
ZONE_TAINT = "edgelib.io/zone-type=wavelength-zone:NoSchedule"
TOLERATION = {"key": "edgelib.io/zone-type", "operator": "Exists", "effect": "NoSchedule"}


def api(stack, context=None):
    return connect(stack.outputs()["kubeconfig"], context)


def instances(stack):
    """Instance id by node name."""
    return {node: about["instance_id"] for pool in stack.outputs()["nodes"].values() for node, about in pool.items()}


def changed_instances(done):
    return [(operation, name) for operation, kind, name in done.steps if kind == INSTANCE and operation != "replace"]


def test_up_ends_with_every_node_ready(boston_k3s):
    done = boston_k3s.up()
    assert done.code == 0, done
    assert ready_nodes(api(boston_k3s)) == {"k3s-server-1", "k3s-edge-1", "k3s-edge-2"}


def test_there_is_one_node_per_instance_with_what_was_promised(boston_k3s):
    found, outputs = nodes(api(boston_k3s)), boston_k3s.outputs()
    assert set(found) == set(instances(boston_k3s))
    edge, server = found["k3s-edge-1"], found["k3s-server-1"]
    about = outputs["nodes"]["edge"]["k3s-edge-1"]
    assert addresses(edge)["InternalIP"] == about["private_ip"]
    assert addresses(edge)["ExternalIP"] == about["carrier_ip"]
    assert {
        "topology.kubernetes.io/region": "us-east-1",
        "topology.kubernetes.io/zone": BOSTON,
        "edgelib.io/zone-type": "wavelength-zone",
        "edgelib.io/carrier": "verizon",
        "edgelib.io/location": "boston",
        "edgelib.io/pool": "edge",
    }.items() <= edge.metadata.labels.items()
    assert server.metadata.labels["edgelib.io/zone-type"] == "availability-zone"
    assert server.metadata.labels["topology.kubernetes.io/zone"].startswith("us-east-1")
    assert (taints(edge), taints(server)) == ({ZONE_TAINT}, set())
    assert edge.status.node_info.kubelet_version == "v1.36.2+k3s1"
    assert edge.status.capacity["cpu"] == "4"  # a t3.xlarge


def test_pods_go_where_selector_and_taint_say(boston_k3s):
    core = api(boston_k3s)
    eventually(lambda: core.list_namespaced_service_account("default").items, "the default service account")
    zone = {"edgelib.io/zone-type": "wavelength-zone"}
    core.create_namespaced_pod("default", pod("edge", nodeSelector=zone, tolerations=[TOLERATION]))
    core.create_namespaced_pod("default", pod("untolerant", nodeSelector=zone))
    core.create_namespaced_pod("default", pod("plain"))
    assert scheduled(core, "edge") in {"k3s-edge-1", "k3s-edge-2"}
    assert "untolerated taint" in scheduled(core, "untolerant")
    assert scheduled(core, "plain") == "k3s-server-1"
    eventually(lambda: core.read_namespaced_pod("edge", "default").status.phase == "Running", "the pod runs")
    core.create_namespaced_config_map("default", {"metadata": {"name": "before"}, "data": {"kept": "yes"}})


def names_by_kubectl(stack, kubectl, *options):
    """The nodes that kubectl names, on the kubeconfig as the README has it."""
    config = "<(pulumi stack output kubeconfig --show-secrets --stack sandbox)"
    line = " ".join([str(kubectl), "--kubeconfig", config, *options, "get nodes -o name"])
    done = subprocess.run(
        ["bash", "-c", line],
        cwd=stack.folder,
        env=stack.environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.split())


def test_kubectl_works_on_the_kubeconfig_as_the_readme_says(boston_k3s, kubectl):
    assert names_by_kubectl(boston_k3s, kubectl) == ["node/k3s-edge-1", "node/k3s-edge-2", "node/k3s-server-1"]


def test_kubectl_reaches_the_servers_private_address_as_from_within_the_vpc(boston_k3s, kubectl):
    address = boston_k3s.outputs()["nodes"]["server"]["k3s-server-1"]["private_ip"]
    found = names_by_kubectl(boston_k3s, kubectl, f"--server https://{address}:6443")
    assert found == ["node/k3s-edge-1", "node/k3s-edge-2", "node/k3s-server-1"]


def test_second_up_changes_nothing(boston_k3s):
    previewed = boston_k3s.run("preview", "--expect-no-changes")
    assert previewed.code == 0, previewed
    done = boston_k3s.up()
    assert (done.code, set(done.changes)) == (0, {"same"}), done


def state_text(stack):
    exported = stack.pulumi("stack", "export", "--stack", "sandbox", check=True).stdout
    files = [
        file.read_text(errors="replace") for file in Path(stack.sandbox.directory.state).rglob("*") if file.is_file()
    ]
    return "\n".join([exported, *files])


def cluster_secrets(stack):
    """Every secret of the cluster in the clear, by what it is."""
    exported = stack.pulumi("stack", "export", "--show-secrets", "--stack", "sandbox", check=True).stdout
    found = {}
    for resource in json.loads(exported)["deployment"]["resources"]:
        about = resource["urn"].rsplit("::", 1)[1]
        for key in ("privateKeyPem", "result"):
            secret = resource.get("outputs", {}).get(key)
            if secret:
                text = json.loads(secret["plaintext"]) if isinstance(secret, dict) else secret
                found[f"{key} of {about}"] = text
    return found


def in_any_form(secret):
    """A secret as it is, as JSON and as base64 show it (its middle, which does not depend on what stands around it)."""
    lines = [line for line in secret.strip().splitlines() if not line.startswith("-----")]
    plain = lines[0]
    return {plain, base64.b64encode(secret.encode()).decode()[40:80]}


def test_no_secret_is_in_the_clear_in_state_logs_or_an_agents_user_data(boston_k3s):
    secrets = cluster_secrets(boston_k3s)
    assert len(secrets) == 11
    previewed = boston_k3s.pulumi("preview", "--diff", "--stack", "sandbox", "--refresh", check=True)
    logs = [
        file.read_text(errors="replace")
        for file in Path(boston_k3s.sandbox.directory.root).rglob("*.log")
        if file.is_file()
    ]
    agent = boston_k3s.aws("ec2").describe_instance_attribute(
        InstanceId=instances(boston_k3s)["k3s-edge-1"], Attribute="userData"
    )
    user_data = base64.b64decode(agent["UserData"]["Value"]).decode()
    places = {"state": state_text(boston_k3s), "output": previewed.stdout, "logs": "\n".join(logs)}
    leaks = [
        (what, place)
        for what, secret in secrets.items()
        for form in in_any_form(secret)
        for place, text in places.items()
        if form in text
    ]
    assert leaks == []
    assert [what for what, secret in secrets.items() if secret.strip() in user_data] == ["result of k3s-agent-token"]


def test_a_third_agent_joins_and_no_other_node_is_touched(boston_k3s):
    before, created = instances(boston_k3s), nodes(api(boston_k3s))
    boston_k3s.configure(agents=3)
    done = boston_k3s.up()
    assert done.code == 0, done
    assert {(operation, name) for operation, _, name in done.steps} <= {("create", "k3s-edge-3")}, done
    assert before.items() <= instances(boston_k3s).items()
    found = nodes(api(boston_k3s))
    assert ready(found["k3s-edge-3"])
    assert {name: found[name].metadata.uid for name in created} == {
        name: node.metadata.uid for name, node in created.items()
    }


def test_a_change_of_labels_reaches_the_nodes_in_place(boston_k3s):
    before = instances(boston_k3s)
    core = api(boston_k3s)
    core.patch_node("k3s-edge-1", {"metadata": {"labels": {"example.com/mine": "kept"}}})
    boston_k3s.edit("zone=BOSTON,", 'zone=BOSTON, labels={"tier": "video"},')
    done = boston_k3s.up()
    assert done.code == 0, done
    assert (changed_instances(done), instances(boston_k3s)) == (
        [("update", f"k3s-edge-{number}") for number in (1, 2, 3)],  # their tags
        before,
    )
    assert {node.metadata.labels.get("tier") for name, node in nodes(core).items() if "edge" in name} == {"video"}
    boston_k3s.edit(' labels={"tier": "video"},', "")
    done = boston_k3s.up()
    assert done.code == 0, done
    found = nodes(core)["k3s-edge-1"].metadata.labels
    assert "tier" not in found
    assert found["example.com/mine"] == "kept"


def test_a_replaced_server_keeps_kubeconfig_addresses_and_objects(boston_k3s):
    before, kubeconfig = instances(boston_k3s), boston_k3s.outputs()["kubeconfig"]
    uid = nodes(connect(kubeconfig))["k3s-server-1"].metadata.uid
    boston_k3s.edit("taint_zone_nodes=True,", 'taint_zone_nodes=True,\n        server_config={"disable": ["traefik"]},')
    done = boston_k3s.up()
    assert done.code == 0, done
    assert [name for _, name in changed_instances(done)] == ["k3s-server-1"] * 2
    after = instances(boston_k3s)
    assert after.pop("k3s-server-1") != before.pop("k3s-server-1")
    assert after == before
    assert boston_k3s.outputs()["kubeconfig"] == kubeconfig
    core = connect(kubeconfig)
    assert core.read_namespaced_config_map("before", "default").data == {"kept": "yes"}
    assert nodes(core)["k3s-server-1"].metadata.uid == uid, "the new machine took the Node object over"
    eventually(lambda: len(ready_nodes(core)) == 4, "the agents are back")


def test_an_agent_terminated_behind_pulumis_back_is_healed(boston_k3s):
    core, ec2 = api(boston_k3s), boston_k3s.aws("ec2")
    gone = instances(boston_k3s)["k3s-edge-2"]
    ec2.terminate_instances(InstanceIds=[gone])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[gone], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    eventually(lambda: "k3s-edge-2" not in ready_nodes(core), "the node is not Ready")
    refreshed = boston_k3s.run("refresh", "--yes", "--skip-preview")
    assert refreshed.code == 0, refreshed
    done = boston_k3s.up()
    assert done.code == 0, done
    assert instances(boston_k3s)["k3s-edge-2"] != gone
    assert "k3s-edge-2" in ready_nodes(core)
    again = boston_k3s.run("preview", "--refresh", "--expect-no-changes")
    assert again.code == 0, again


def test_stopped_and_started_again_shows_in_the_cluster(boston_k3s):
    core, ec2 = api(boston_k3s), boston_k3s.aws("ec2")
    stopped = instances(boston_k3s)["k3s-edge-1"]
    ec2.stop_instances(InstanceIds=[stopped])
    eventually(lambda: "k3s-edge-1" not in ready_nodes(core), "the node is not Ready")
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[stopped], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    ec2.start_instances(InstanceIds=[stopped])
    eventually(lambda: "k3s-edge-1" in ready_nodes(core), "the node is Ready again")


def test_an_intruder_with_a_wrong_token_does_not_join(boston_k3s):
    ec2 = boston_k3s.aws("ec2")
    model = ec2.describe_instances(InstanceIds=[instances(boston_k3s)["k3s-edge-1"]])["Reservations"][0]["Instances"][0]
    attribute = ec2.describe_instance_attribute(InstanceId=model["InstanceId"], Attribute="userData")
    user_data = base64.b64decode(attribute["UserData"]["Value"]).decode()
    token = cluster_secrets(boston_k3s)["result of k3s-agent-token"]
    assert token in user_data
    subnet = ec2.describe_subnets(SubnetIds=[model["SubnetId"]])["Subnets"][0]
    address = str(ip_network(subnet["CidrBlock"])[10])
    forged = user_data.replace(token, "guessed").replace("k3s-edge-1", "intruder")
    forged = forged.replace(model["PrivateIpAddress"], address)
    made = ec2.run_instances(
        ImageId=model["ImageId"],
        InstanceType="t3.medium",
        MinCount=1,
        MaxCount=1,
        SubnetId=model["SubnetId"],
        PrivateIpAddress=address,
        UserData=forged,
        IamInstanceProfile={"Arn": model["IamInstanceProfile"]["Arn"]},
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeType": "gp2", "VolumeSize": 20}}],
    )["Instances"][0]["InstanceId"]
    try:
        said = eventually(lambda: unauthorised(console(ec2, made)), lambda: console(ec2, made))
        assert "guessed" not in said
        assert "intruder" not in nodes(api(boston_k3s))
    finally:
        ec2.terminate_instances(InstanceIds=[made])
        ec2.get_waiter("instance_terminated").wait(InstanceIds=[made], WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def console(ec2, instance_id):
    return ec2.get_console_output(InstanceId=instance_id).get("Output", "")


def unauthorised(text):
    return text if "not authorized" in text else ""


def test_a_node_that_does_not_come_up_stops_the_update_and_says_why(boston_k3s):
    before = instances(boston_k3s)
    # what a pool runs itself may also break its nodes
    broken = "#cloud-config\\nwrite_files: [{path: /etc/rancher/k3s/token, content: wrong}]"
    boston_k3s.edit("zone=BOSTON,", f'zone=BOSTON, user_data="{broken}",')
    boston_k3s.edit("taint_zone_nodes=True,", "taint_zone_nodes=True, wait_seconds=5,")
    done = boston_k3s.up()
    assert done.code != 0
    assert "node k3s-edge-1 on i-" in done.output, done
    assert "is not up after 5 s" in done.output, done
    assert "aws ec2 get-console-output" in done.output, done
    after = instances(boston_k3s)
    assert {node for node in before if after[node] != before[node]} <= {"k3s-edge-1"}, "the others were left alone"
    boston_k3s.edit(f' user_data="{broken}",', "")
    boston_k3s.edit(" wait_seconds=5,", "")
    done = boston_k3s.up()
    assert done.code == 0, done
    assert len(ready_nodes(api(boston_k3s))) == 4


def test_fewer_agents_leave_the_cluster(boston_k3s):
    boston_k3s.configure(agents=1)
    done = boston_k3s.up()
    assert done.code == 0, done
    assert set(nodes(api(boston_k3s))) == {"k3s-server-1", "k3s-edge-1"}


def test_destroy_leaves_nothing(boston_k3s):
    kubeconfig = boston_k3s.outputs()["kubeconfig"]
    done = boston_k3s.destroy()
    assert done.code == 0, done
    assert boston_k3s.account() == {}
    directory = boston_k3s.sandbox.directory

    def clusters():
        return lifecycle.status(directory, environ=boston_k3s.environment).clusters

    eventually(lambda: not clusters(), "no control plane is left")
    with pytest.raises(MaxRetryError, match="refused"):
        nodes(connect(kubeconfig))
