import pytest

from edgelib.errors import ArgsError
from edgelib.kubernetes.k3s_config import AGENT_KEYS, SERVER_KEYS, check_config

FIELD = "K3sClusterArgs.server_config"
RESERVED = {"tls-san": "use api_sans", "token": "the tokens are made with the cluster"}


def check(config, role="server"):
    return check_config(FIELD, config, role=role, reserved=RESERVED)


def test_what_k3s_knows_passes_as_it_is():
    config = {
        "disable": ["traefik", "servicelb"],
        "kubelet-arg+": ["max-pods=50"],
        "protect-kernel-defaults": True,
        "etcd-snapshot-retention": 3,
        "v": 2,
        "etcd-s3-timeout": "10m",
        "kube-apiserver-arg": [],
    }
    assert check(config) == config
    assert check(config) is not config


def test_agents_take_what_concerns_a_node_and_servers_take_that_too():
    config = {"kubelet-arg": "max-pods=50", "snapshotter": "native", "selinux": True}
    assert check(config, "agent") == check(config, "server") == config
    assert {"disable-apiserver-lb"} == AGENT_KEYS - SERVER_KEYS
    assert {"tls-san", "cluster-cidr", "etcd-s3-bucket"} <= SERVER_KEYS - AGENT_KEYS


@pytest.mark.parametrize("key", ["kubelet-args", "kubelet_arg", "--kubelet-arg", "Kubelet-Arg+"])
def test_an_unknown_key_is_refused_with_the_one_meant(key):
    with pytest.raises(ArgsError) as refused:
        check({key: []})
    assert str(refused.value) == (
        f"{FIELD}: {key!r} is no key of a K3s server's configuration; did you mean 'kubelet-arg'?"
    )


def test_a_key_like_no_other_is_refused_with_where_to_look():
    with pytest.raises(ArgsError, match=r"'xyzzy' is no key of a K3s agent's configuration; see `k3s agent --help`"):
        check({"xyzzy": 1}, "agent")


def test_a_key_of_the_other_role_is_refused_as_such():
    with pytest.raises(ArgsError, match="'disable' is a key of K3s servers, not of agents; set it for the servers"):
        check({"disable": ["traefik"]}, "agent")
    with pytest.raises(ArgsError, match="'disable-apiserver-lb' is a key of K3s agents, not of servers"):
        check({"disable-apiserver-lb": True})


@pytest.mark.parametrize("key", ["tls-san", "tls-san+"])
def test_a_key_that_edgelib_sets_is_refused_with_the_field_to_use(key):
    with pytest.raises(ArgsError) as refused:
        check({key: ["api.example.com"]})
    assert str(refused.value) == f"{FIELD}: {key!r} is a key that edgelib sets itself; use api_sans"


def test_a_token_is_not_repeated_in_the_refusal():
    with pytest.raises(ArgsError) as refused:
        check({"token": "hunter2"}, "agent")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("value", [None, {"a": "b"}, [["a"]], [{"a": "b"}], [None], object()])
def test_a_value_that_k3s_would_not_take_is_refused(value):
    with pytest.raises(
        ArgsError, match=r"server_config\['kubelet-arg'\]: .* is neither a scalar nor a list of scalars"
    ):
        check({"kubelet-arg": value})
