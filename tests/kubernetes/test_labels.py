import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgelib.errors import ArgsError
from edgelib.kubernetes.labels import check_labels, check_node_labels, check_taints, label_value


@pytest.mark.parametrize("key", ["role", "example.com/role", "a.b-c_d", "x" * 63, f"{'d' * 253}/x"])
def test_keys_of_kubernetes_syntax_are_taken(key):
    assert check_labels("f", {key: "v"}) == {key: "v"}


@pytest.mark.parametrize("key", ["", "-x", "x-", "x" * 64, "a/b/c", "Example.com/x", "a b"])
def test_other_keys_are_refused(key):
    with pytest.raises(ArgsError, match="no label key"):
        check_labels("f", {key: "v"})


@pytest.mark.parametrize(
    "key",
    [
        "topology.kubernetes.io/zone",
        "node.kubernetes.io/exclude-from-external-load-balancers",
        "kubernetes.io/hostname",
        "example.com/role",
        "notkubernetes.io/role",
    ],
)
def test_a_node_may_give_itself_these(key):
    assert check_node_labels("f", {key: "v"})


@pytest.mark.parametrize(
    "key", ["node-role.kubernetes.io/edge", "kubernetes.io/role", "x.k8s.io/role", "node-restriction.kubernetes.io/x"]
)
def test_a_kubelet_that_gives_itself_these_would_not_start(key):
    with pytest.raises(ArgsError, match=r"f: '.*' is a label that Kubernetes forbids.*NodeRestriction.*; use a prefix"):
        check_node_labels("f", {key: "v"})


@pytest.mark.parametrize("taint", ["a=b:NoSchedule", "a:NoExecute", "example.com/a=:PreferNoSchedule"])
def test_taints_are_taken(taint):
    assert check_taints("f", [taint]) == [taint]


@pytest.mark.parametrize(
    ("taints", "message"),
    [
        (["a"], "'a' is no taint; write key=value:NoSchedule"),
        (["a=b"], "'a=b' is no taint"),
        (["=b:NoSchedule"], "is no taint"),
        (["a=b c:NoSchedule"], "is no taint"),
        (["a=b:NoRun"], "has the effect 'NoRun'; use one of NoSchedule"),
        (["a=b:NoSchedule", "a=c:NoSchedule"], "'a=c:NoSchedule' repeats the key and effect"),
    ],
)
def test_taints_that_a_kubelet_would_not_take_are_refused(taints, message):
    with pytest.raises(ArgsError, match=rf"f: .*{message}"):
        check_taints("f", taints)


def test_the_same_key_may_have_two_effects():
    assert len(check_taints("f", ["a=b:NoSchedule", "a=b:NoExecute"])) == 2


@given(st.text())
def test_any_text_becomes_a_value(text):
    assert check_labels("f", {"k": label_value(text)})


@pytest.mark.parametrize(
    ("text", "value"), [("Verizon", "verizon"), ("New York", "new-york"), ("Sonatel (Orange)", "sonatel-orange")]
)
def test_names_stay_readable_as_values(text, value):
    assert label_value(text) == value
