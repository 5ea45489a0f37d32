import pytest
from component_sites import ANYWHERE, refuse
from hypothesis import given
from hypothesis import strategies as st

from edgelib import IngressArgs
from edgelib.components._ingress import ADMINISTRATIVE, plan_ingress

BLOCKS = ["10.0.0.0/8", "192.0.2.0/24", "198.51.100.7/32"]


def rules(**ingress):
    return plan_ingress("X.ingress", {key: IngressArgs.of(value) for key, value in ingress.items()})


@pytest.mark.parametrize(
    ("rule", "parts"),
    [
        ({"port": 0, "cidr_blocks": BLOCKS}, ["X.ingress['web'].port: 0 to 0", "1 to 65535"]),
        ({"port": 65536, "cidr_blocks": BLOCKS}, ["X.ingress['web'].port: 65536"]),
        ({"port": 9, "to_port": 8, "cidr_blocks": BLOCKS}, ["X.ingress['web'].port: 9 to 8", "not above the last"]),
        ({"port": 80, "to_port": 0, "cidr_blocks": BLOCKS}, ["X.ingress['web'].port: 80 to 0"]),
        ({"port": 80}, ["X.ingress['web']", "blocks or a security group", "exactly one"]),
        ({"port": 80, "cidr_blocks": []}, ["X.ingress['web']", "exactly one"]),
        ({"port": 80, "cidr_blocks": BLOCKS, "security_group_id": "sg-1"}, ["X.ingress['web']", "exactly one"]),
        ({"port": 80, "cidr_blocks": ["10.1.0.0/8"]}, ["X.ingress['web'].cidr_blocks: 10.1.0.0/8", "write 10.0.0.0/8"]),
        ({"port": 80, "cidr_blocks": ["::/0"]}, ["X.ingress['web'].cidr_blocks: ::/0", "IPv6"]),
        ({"port": 80, "cidr_blocks": ["all"]}, ["X.ingress['web'].cidr_blocks: 'all'", "CIDR notation"]),
        ({"port": 80, "cidr_blocks": BLOCKS[:1] * 2}, ["X.ingress['web'].cidr_blocks: 10.0.0.0/8", "is there twice"]),
        ({"port": 1, "to_port": 65535, "cidr_blocks": [ANYWHERE]}, ["X.ingress['web']", "22 (SSH)", "6443", "10250"]),
        ({"port": 22, "cidr_blocks": ["0.0.0.0/1"]}, ["X.ingress['web'].cidr_blocks: 0.0.0.0/1", "22 (SSH)"]),
        ({"port": 80, "protocol": "icmp", "cidr_blocks": BLOCKS}, ["IngressArgs.protocol: 'icmp'", "tcp, udp"]),
    ],
)
def test_a_rule_that_cannot_work_is_refused(rule, parts):
    refuse(lambda: rules(web=rule), *parts)


@pytest.mark.parametrize("key", ["", "it's mine", "a\nb", "x" * 65, "path-mtu-discovery"])
def test_a_name_that_is_no_description_or_is_taken_is_refused(key):
    refuse(lambda: rules(**{key: {"port": 80, "security_group_id": "sg-1"}}), f"X.ingress[{key!r}]", "; use")


@pytest.mark.parametrize("port", ADMINISTRATIVE)
def test_administrative_ports_are_never_open_to_everybody(port):
    way_out = "name the blocks"
    refuse(lambda: rules(admin={"port": port, "cidr_blocks": [ANYWHERE]}), "X.ingress['admin']", str(port), way_out)
    assert rules(admin={"port": port, "cidr_blocks": ["10.0.0.0/8"]})
    assert rules(admin={"port": port, "security_group_id": "sg-1"})


def test_one_rule_per_block_tcp_and_one_port_unless_said():
    made = rules(web={"port": 443, "cidr_blocks": BLOCKS[:2]})
    assert [(rule.protocol, rule.from_port, rule.to_port, rule.cidr_block) for rule in made] == [
        ("tcp", 443, 443, block) for block in BLOCKS[:2]
    ]
    (udp,) = rules(game={"port": 7000.0, "to_port": 7010.0, "protocol": "udp", "security_group_id": "sg-1"})
    assert (udp.protocol, udp.from_port, udp.to_port, udp.security_group_id) == ("udp", 7000, 7010, "sg-1")


SOURCES = st.dictionaries(
    st.sampled_from(["web", "game", "ssh"]), st.lists(st.sampled_from(BLOCKS), min_size=1, unique=True), min_size=1
)


@given(sources=SOURCES, data=st.data())
def test_rules_keep_their_keys_when_others_come_and_go(sources, data):
    every = {rule.key: rule for rule in rules(**{key: {"port": 443, "cidr_blocks": b} for key, b in sources.items()})}
    assert len(every) == sum(map(len, sources.values()))
    kept = data.draw(st.permutations(list(sources)))[: len(sources) // 2 + 1]
    fewer = rules(**{key: {"port": 443, "cidr_blocks": sources[key][::-1]} for key in kept})
    assert {rule.key: rule for rule in fewer}.items() <= every.items()
