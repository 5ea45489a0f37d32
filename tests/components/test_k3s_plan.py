import pytest
from component_sites import BOSTON, KEY, NEW_YORK, network, place, refuse

from edgelib import ControlPlane, Egress, K3sClusterArgs, NodePoolArgs, WaitFor
from edgelib.components._k3s_plan import plan_k3s_cluster

EDGE = {"edge": {"zone": BOSTON}}


def plan(name="k3s", **args):
    return plan_k3s_cluster(name, K3sClusterArgs.of({"network": network(), "agents": EDGE, **args}))


def two_zones():
    both = network()
    both.zones[NEW_YORK] = place(NEW_YORK)
    return both


def test_defaults_are_one_server_in_the_region_and_the_path_mtu():
    made = plan()
    assert made.servers.plan.nodes == ("1",)
    assert made.servers.placement.zone is None
    assert (made.mtu, made.embedded_etcd, made.secrets_encryption) == (1300, False, True)
    assert (made.cluster_cidr, made.service_cidr) == ("10.42.0.0/16", "10.43.0.0/16")
    assert (made.api_blocks, made.api_is_external, made.wait_seconds) == ([], False, None)


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        ({"servers": 0}, ["K3sClusterArgs.servers: 0 ", "use 1, 3 or 5"]),
        ({"servers": 2}, ["K3sClusterArgs.servers: 2 would lose quorum on any failure", "use 1, 3 or 5"]),
        ({"servers": 4}, ["K3sClusterArgs.servers: 4 tolerates no more failures than 3", "use 1, 3 or 5"]),
        ({"servers": 7}, ["K3sClusterArgs.servers: 7 ", "use 1, 3 or 5"]),
        ({"server_pool": {"count": 3}}, ["K3sClusterArgs.server_pool.count: 3", "set K3sClusterArgs.servers"]),
        ({"server_pool": {"max_unavailable": 2}}, ["K3sClusterArgs.server_pool.max_unavailable: 2", "quorum"]),
        ({"server_pool": {"zone": BOSTON}}, [f"K3sClusterArgs.server_pool.zone: {BOSTON}", "control_plane=site"]),
        (
            {"server_pool": {"disks": {"/dev/sdp": {"size_gib": 5}}}},
            ["K3sClusterArgs.server_pool.disks: /dev/sdp", "the datastore's", "/dev/sdo"],
        ),
        ({"server_pool": {"instance_type": "t4g.large"}}, ["K3sClusterArgs.server_pool.instance_type", "arm64"]),
        (
            {"server_pool": {"instance_type": "t2.medium"}},
            ["K3sClusterArgs.server_pool.instance_type: t2.medium", "NVMe"],
        ),
        ({"control_plane": "cloud"}, ["K3sClusterArgs.control_plane: 'cloud'", "region, site"]),
        ({"agents": {"edge": {"zone": "boston"}}}, ["K3sClusterArgs.agents['edge'].zone: 'boston'", BOSTON]),
        ({"agents": {"edge": {"zone": BOSTON, "count": 0}}}, ["K3sClusterArgs.agents['edge'].count: 0"]),
        ({"agents": {"edge": {"zone": BOSTON, "network": network()}}}, ["K3sClusterArgs.agents['edge'].network"]),
        ({"agents": {"server": {}}}, ["K3sClusterArgs.agents['server']", "the cluster's own", "another name"]),
        ({"agents": {"nodes": {}}}, ["K3sClusterArgs.agents['nodes']", "the cluster's own"]),
        ({"agents": {"Edge": {}}}, ["K3sClusterArgs.agents['Edge']: 'Edge'", "RFC 1123", "lower-case"]),
        ({"agents": {"e" * 60: {}}}, ["K3sClusterArgs.agents", "longer than 63", "shorten"]),
        (
            {"agents": {"edge": {"security_group_ids": ["a", "b", "c"]}}},
            ["K3sClusterArgs.agents['edge'].security_group_ids: 3", "more than the 5", "merge"],
        ),
        (
            {"agents": {"edge": {"labels": {"node-role.kubernetes.io/edge": ""}}}},
            ["K3sClusterArgs.agents['edge'].labels", "forbids", "prefix of your own"],
        ),
        ({"agents": {"edge": {"taints": ["a=b"]}}}, ["K3sClusterArgs.agents['edge'].taints: 'a=b'", "no taint"]),
        (
            {"network": two_zones(), "agents": {"a": {"zone": BOSTON}, "b": {"zone": NEW_YORK}}},
            ["K3sClusterArgs.agents: ", "cannot talk to each other", "one VPC and one cluster per zone"],
        ),
        ({"taint_zone_nodes": True, "agents": {"a": {}}}, ["K3sClusterArgs.taint_zone_nodes", "no node in a Wavel"]),
        ({"taint_zone_nodes": True, "control_plane": "site"}, ["K3sClusterArgs.taint_zone_nodes", "K3s' own pods"]),
        ({"cluster_cidr": "10.0.0.0/17"}, ["K3sClusterArgs.cluster_cidr: 10.0.0.0/17", "the VPC", "10.44.0.0/16"]),
        ({"service_cidr": "10.42.8.0/24"}, ["K3sClusterArgs.service_cidr: 10.42.8.0/24", "of pods"]),
        ({"cluster_cidr": "10.42.0.1/16"}, ["K3sClusterArgs.cluster_cidr: 10.42.0.1/16", "write 10.42.0.0/16"]),
        ({"version": "1.36"}, ["K3sClusterArgs.version: '1.36'", "no K3s release", "v1.36.2+k3s1"]),
        ({"api_allowed_cidrs": ["0.0.0.0/0"]}, ["K3sClusterArgs.api_allowed_cidrs: 0.0.0.0/0", "connect from"]),
        ({"ssh_authorized_keys": ["me"]}, ["K3sClusterArgs.ssh_authorized_keys", "no OpenSSH public key"]),
        ({"server_config": {"tls-san": ["x"]}}, ["K3sClusterArgs.server_config: 'tls-san'", "use api_sans"]),
        ({"server_config": {"disabel": ["x"]}}, ["K3sClusterArgs.server_config: 'disabel'", "did you mean 'disable'"]),
        (
            {"server_config": {"embedded-registry": True}},
            ["K3sClusterArgs.server_config: 'embedded-registry'", "ports"],
        ),
        ({"agent_config": {"disable": ["x"]}}, ["K3sClusterArgs.agent_config: 'disable'", "servers"]),
        ({"agent_config": {"token": "x"}}, ["K3sClusterArgs.agent_config: 'token'", "made with the cluster"]),
        ({"snapshots": {"bucket": "s3://backups"}}, ["K3sClusterArgs.snapshots.bucket", "without s3://"]),
        ({"snapshots": {"bucket": "backups", "retention": 0}}, ["K3sClusterArgs.snapshots.retention: 0"]),
        ({"snapshots": {"bucket": "backups", "schedule": "daily"}}, ["K3sClusterArgs.snapshots.schedule", "five"]),
        ({"datastore_gib": 0}, ["K3sClusterArgs.datastore_gib: 0", "1 to 16384"]),
        ({"wait_seconds": 0}, ["K3sClusterArgs.wait_seconds: 0", "wait_for=nothing"]),
        ({"network": network(nat=False, public=False)}, ["K3sClusterArgs.server_pool.network", "no subnet"]),
    ],
)
def test_what_cannot_work_is_refused_with_the_way_out(args, parts):
    refuse(lambda: plan(**args), *parts)


@pytest.mark.parametrize("name", ["K3s", "k3s_main", "-k3s", "k3s."])
def test_a_name_that_no_node_can_have_is_refused(name):
    refuse(lambda: plan(name), "the component's name", "RFC 1123", "lower-case")


@pytest.mark.parametrize(("servers", "etcd"), [(1, False), (3, True), (5, True)])
def test_servers_hold_etcd_from_three_on(servers, etcd):
    made = plan(servers=servers)
    assert (len(made.servers.plan.nodes), made.servers.plan.max_unavailable) == (servers, 1)
    assert made.embedded_etcd is etcd


def test_snapshots_need_etcd_on_a_single_server_too():
    made = plan(snapshots={"bucket": "backups"})
    assert made.embedded_etcd
    assert made.snapshots
    assert (made.snapshots.folder, made.snapshots.region, made.snapshots.retention) == ("k3s", "us-east-1", 5)


@pytest.mark.parametrize(
    ("args", "mtu"),
    [
        ({}, 1300),
        ({"control_plane": "site"}, None),
        ({"agents": {"core": {}}}, None),
        ({"agents": {}}, None),
        ({"control_plane": "site", "agents": {"edge": {"zone": BOSTON}, "core": {}}}, 1300),
    ],
)
def test_the_mtu_is_clamped_where_region_and_zone_meet(args, mtu):
    assert plan(**args).mtu == mtu


def test_servers_at_the_site_stand_where_the_agents_do():
    made = plan(control_plane="site", network=two_zones())
    assert made.servers.placement.key == BOSTON
    assert made.servers.plan.host.disks[-1].type == "gp2"


def test_servers_alone_at_the_site_stand_in_the_networks_zone():
    assert plan(control_plane="site", agents={}).servers.placement.key == BOSTON
    refuse(
        lambda: plan(control_plane="site", agents={}, network=two_zones()),
        "K3sClusterArgs.control_plane: site",
        BOSTON,
        NEW_YORK,
        "set server_pool.zone",
    )
    chosen = plan(control_plane="site", agents={}, network=two_zones(), server_pool={"zone": NEW_YORK})
    assert chosen.servers.placement.key == NEW_YORK


def test_the_datastore_is_on_a_disk_of_its_own():
    disks = plan(server_pool={"disks": {"/dev/sdf": {"size_gib": 5}}}, datastore_gib=9).servers.plan.host.disks
    assert [(disk.device, disk.size_gib, disk.type) for disk in disks] == [
        ("/dev/sdf", 5, "gp3"),
        ("/dev/sdp", 9, "gp3"),
    ]


def test_every_node_says_where_it_stands():
    made = plan(agents={"edge": {"zone": BOSTON, "labels": {"role": "video"}}})
    assert made.agents["edge"].labels == {
        "topology.kubernetes.io/region": "us-east-1",
        "edgelib.io/zone-type": "wavelength-zone",
        "edgelib.io/carrier": "verizon",
        "edgelib.io/location": "boston",
        "edgelib.io/pool": "edge",
        "role": "video",
    }
    assert made.servers.labels["edgelib.io/zone-type"] == "availability-zone"


def test_the_zones_taint_is_on_its_agents_only():
    made = plan(taint_zone_nodes=True, agents={"edge": {"zone": BOSTON, "taints": ["a=b:NoExecute"]}, "core": {}})
    assert list(made.agents["edge"].taints) == ["edgelib.io/zone-type=wavelength-zone:NoSchedule", "a=b:NoExecute"]
    assert (list(made.agents["core"].taints), list(made.servers.taints)) == ([], [])


ME = {"api_allowed_cidrs": ["203.0.113.7/32"]}
NAT = {"server_pool": NodePoolArgs(egress=Egress.NAT)}
PUBLIC = {"server_pool": NodePoolArgs(egress=Egress.PUBLIC_IP)}


@pytest.mark.parametrize(
    ("args", "external", "waits"),
    [
        ({**PUBLIC}, False, None),
        ({**PUBLIC, **ME}, True, 900),
        ({**NAT, **ME}, False, None),
        ({**NAT, **ME, "wait_for": WaitFor.NODES_READY, "wait_seconds": 60}, False, 60),
        ({**PUBLIC, **ME, "wait_for": WaitFor.NOTHING}, True, None),
        ({**ME, "control_plane": ControlPlane.SITE}, True, None),
    ],
)
def test_nodes_are_waited_for_where_the_api_can_be_reached(args, external, waits):
    made = plan(**args)
    assert (made.api_is_external, made.wait_seconds) == (external, waits)


def test_an_update_that_does_not_wait_says_so_unless_asked_for():
    assert [note for note in plan().notes if "K3sClusterArgs.wait_for" in note and "api_allowed_cidrs" in note]
    assert [note for note in plan(servers=3).notes if "faster than they come up, and with them the API" in note]
    assert plan(wait_for="nothing").notes == plan(**ME, **PUBLIC).notes == ()


def test_ports_of_mirrors_are_opened_and_no_others():
    made = plan(
        install_url="http://mirror.example.com:8080/k3s",
        registries={"docker.io": {"endpoints": ["https://mirror.example.com:5000", "https://b.example.com"]}},
    )
    assert list(made.download_ports) == [5000, 8080]
    assert list(plan().download_ports) == []


def test_pools_inherit_the_clusters_tags():
    made = plan(tags={"team": "edge", "cost": "1"}, agents={"edge": {"zone": BOSTON, "tags": {"cost": "2"}}})
    assert made.agents["edge"].plan.tags == {"team": "edge", "cost": "2"}
    assert made.servers.plan.tags == {"team": "edge", "cost": "1"}


def test_keys_are_checked_as_the_bastions():
    assert plan(ssh_authorized_keys=[f" {KEY}\n"]).ssh_authorized_keys == [KEY]
