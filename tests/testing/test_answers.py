"""Questions to AWS are answered strictly: by the built-in account, by the test, or not at all."""

import pulumi
import pulumi_aws as aws
import pytest

from edgelib import zones
from edgelib.testing import ProviderError, UnansweredInvokeError, deploy, wavelength_answers

BOSTON = "us-east-1-wl1-bos-wlz-1"


def ask(question, **options):
    """The answer to one question that a program asks."""
    answers = []
    recording = deploy(lambda: answers.append(question()), **options)
    return answers[0], recording


def test_an_unanswered_question_fails_and_says_how_to_answer_it() -> None:
    with pytest.raises(UnansweredInvokeError) as caught:
        deploy(lambda: aws.ec2.get_ami(owners=["099720109477"], most_recent=True))
    message = str(caught.value)
    assert "aws:ec2/getAmi:getAmi" in message
    assert "'owners': ['099720109477']" in message
    assert "invokes={'aws:ec2/getAmi:getAmi': {...}}" in message


def test_an_unanswered_output_question_fails_too() -> None:
    def program() -> None:
        pulumi.export("ami", aws.ec2.get_ami_output(most_recent=True).id)

    with pytest.raises(UnansweredInvokeError, match="getAmi"):
        deploy(program)


@pytest.mark.parametrize("answer", [{"id": "ami-7"}, lambda args: {"id": f"ami-{len(args['owners'])}{6}"}])
def test_the_test_answers_by_value_or_by_function(answer: object) -> None:
    token = "aws:ec2/getAmi:getAmi"
    found, recording = ask(lambda: aws.ec2.get_ami(owners=["me"]), invokes={token: answer})
    assert found.id in {"ami-7", "ami-16"}
    assert [(each.token, each.args) for each in recording.invokes] == [(token, {"owners": ["me"]})]


def test_an_answer_can_fail_as_a_provider_does_and_the_program_can_cope() -> None:
    def refuse(_: object) -> dict[str, object]:
        raise ProviderError("UnauthorizedOperation")

    def program() -> None:
        try:
            aws.ec2.get_ami(owners=["me"])
        except Exception as error:  # noqa: BLE001 - the SDK raises no narrower one
            pulumi.export("problem", str(error))

    exports = deploy(program, invokes={"aws:ec2/getAmi:getAmi": refuse}).exports
    assert "invoke of aws:ec2/getAmi:getAmi failed: UnauthorizedOperation" in exports["problem"]


def test_an_invoke_with_an_unknown_argument_is_not_asked_in_a_preview() -> None:
    def program() -> None:
        vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        pulumi.export("cidr", aws.ec2.get_vpc_output(id=vpc.id).cidr_block)

    assert deploy(program, preview=True).invokes == ()
    assert deploy(program).exports == {"cidr": "10.0.0.0/16"}


def test_the_provider_of_an_invoke_is_recorded() -> None:
    def program() -> None:
        provider = aws.Provider("west", region="us-west-2")
        aws.get_region_output(opts=pulumi.InvokeOutputOptions(provider=provider))

    recording = deploy(program)
    assert recording.invokes[0].provider == recording.named("west").urn


@pytest.mark.parametrize("zone", zones.catalogue(), ids=lambda zone: zone.name)
def test_every_catalogued_zone_is_known(zone: zones.Zone) -> None:
    found, _ = ask(lambda: aws.get_availability_zone(name=zone.name), config={"aws:region": zone.region})
    assert (found.group_name, found.network_border_group) == (zone.group, zone.name)
    assert (found.zone_type, found.opt_in_status) == ("wavelength-zone", "opted-in")
    assert found.zone_id == zone.zone_id
    assert found.parent_zone_name in {f"{zone.region}{letter}" for letter in "abc"}
    parent, _ = ask(lambda: aws.get_availability_zone(zone_id=found.parent_zone_id), config={"aws:region": zone.region})
    assert parent.name == found.parent_zone_name


def test_a_zone_of_the_right_form_may_exist_and_anything_else_does_not() -> None:
    found, _ = ask(lambda: aws.get_availability_zone(name="us-east-1-wl1-xyz-wlz-1"))
    assert (found.zone_id, found.group_name) == ("use1-wl1-xyz-wlz1", "us-east-1-wl1")
    with pytest.raises(Exception, match="no EC2 Availability Zone found"):
        deploy(lambda: aws.get_availability_zone(name="us-east-1z"))
    with pytest.raises(Exception, match="no EC2 Availability Zone found"):
        deploy(lambda: aws.get_availability_zone(name="eu-west-2-wl1-lon-wlz-1"))


def test_parents_and_opt_ins_can_be_chosen() -> None:
    answers = wavelength_answers(parents={BOSTON: "us-east-1f"}, opted_out=["us-east-1-wl1"])
    found, _ = ask(lambda: aws.get_availability_zone(name=BOSTON, all_availability_zones=True), invokes=answers)
    assert (found.parent_zone_name, found.opt_in_status) == ("us-east-1f", "not-opted-in")
    with pytest.raises(Exception, match="no EC2 Availability Zone found"):
        deploy(lambda: aws.get_availability_zone(name=BOSTON), invokes=answers)


def test_a_look_up_of_availability_zones_finds_wavelength_zones_unless_filtered() -> None:
    everything, _ = ask(aws.get_availability_zones)
    assert BOSTON in everything.names
    only_azs = [{"name": "zone-type", "values": ["availability-zone"]}]
    found, _ = ask(lambda: aws.get_availability_zones(filters=only_azs, exclude_names=["us-east-1b"]))
    assert found.names == ["us-east-1a", "us-east-1c"]
    assert found.zone_ids == ["use1-az1", "use1-az3"]
    with pytest.raises(Exception, match="'zone-kind' is invalid"):
        deploy(lambda: aws.get_availability_zones(filters=[{"name": "zone-kind", "values": ["x"]}]))


def test_zones_offer_fewer_instance_types_than_the_region() -> None:
    def offered(instance_type: str, place: str) -> bool:
        filters = [{"name": "instance-type", "values": [instance_type]}, {"name": "location", "values": [place]}]
        found, _ = ask(lambda: aws.ec2.get_instance_type_offerings(location_type="availability-zone", filters=filters))
        return found.instance_types == [instance_type] and found.locations == [place]

    assert offered("t3.xlarge", BOSTON)
    assert not offered("t3.micro", BOSTON)
    assert offered("t3.micro", "us-east-1a")
    assert offered("t3.medium", "us-east-1-wl1-xyz-wlz-1")
    assert not offered("t3.medium", "us-east-1z")


def test_offerings_can_be_chosen() -> None:
    filters = [{"name": "location", "values": [BOSTON]}]
    found, _ = ask(
        lambda: aws.ec2.get_instance_type_offerings(location_type="availability-zone", filters=filters),
        invokes=wavelength_answers(instance_types={BOSTON: ["g6.xlarge"]}),
    )
    assert found.instance_types == ["g6.xlarge"]


def test_public_parameters_give_image_ids_and_others_must_be_answered() -> None:
    path = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
    first, _ = ask(lambda: aws.ssm.get_parameter(name=path))
    again, _ = ask(lambda: aws.ssm.get_parameter(name=path))
    elsewhere, _ = ask(lambda: aws.ssm.get_parameter(name=path), config={"aws:region": "eu-west-2"})
    assert first.value == again.value == first.insecure_value
    assert first.value.startswith("ami-")
    assert first.value != elsewhere.value
    with pytest.raises(UnansweredInvokeError, match="'/site/token', which is no public parameter"):
        deploy(lambda: aws.ssm.get_parameter(name="/site/token"))


def test_account_region_and_partition() -> None:
    assert ask(aws.get_caller_identity)[0].account_id == "123456789012"
    assert ask(aws.get_partition)[0].partition == "aws"
    assert ask(aws.get_region)[0].region == "us-east-1"
    assert ask(aws.get_region, config={"aws:region": "eu-west-2"})[0].region == "eu-west-2"


EXISTING = {
    "vpc-1": {"cidrBlock": "10.9.0.0/16"},
    "subnet-1": {"vpcId": "vpc-1", "cidrBlock": "10.9.1.0/24", "availabilityZone": BOSTON},
    "rtb-main": {"vpcId": "vpc-1", "associations": [{"main": True}], "routes": []},
    "rtb-1": {
        "vpcId": "vpc-1",
        "associations": [{"subnetId": "subnet-1"}],
        "routes": [{"cidrBlock": "0.0.0.0/0", "carrierGatewayId": "cagw-1"}],
    },
}


def test_existing_networks_are_found_by_id() -> None:
    vpc, _ = ask(lambda: aws.ec2.get_vpc(id="vpc-1"), existing=EXISTING)
    subnet, _ = ask(lambda: aws.ec2.get_subnet(id="subnet-1"), existing=EXISTING)
    assert (vpc.id, vpc.cidr_block) == ("vpc-1", "10.9.0.0/16")
    assert (subnet.vpc_id, subnet.availability_zone) == ("vpc-1", BOSTON)
    for question in (
        lambda: aws.ec2.get_route_table(route_table_id="rtb-1"),
        lambda: aws.ec2.get_route_table(subnet_id="subnet-1"),
    ):
        table, _ = ask(question, existing=EXISTING)
        assert [(route.carrier_gateway_id, route.gateway_id) for route in table.routes] == [("cagw-1", "")]
        assert [link.subnet_id for link in table.associations] == ["subnet-1"]


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [
        ("association.subnet-id", "subnet-1", ["rtb-1"]),
        ("association.subnet-id", "subnet-2", []),
        ("association.main", "true", ["rtb-main"]),
    ],
)
def test_route_tables_are_found_by_their_associations(name: str, value: str, ids: list[str]) -> None:
    filters = [{"name": name, "values": [value]}]
    found, _ = ask(lambda: aws.ec2.get_route_tables(vpc_id="vpc-1", filters=filters), existing=EXISTING)
    assert found.ids == ids


def test_what_does_not_exist_is_an_error_that_says_how_to_make_it_exist() -> None:
    with pytest.raises(UnansweredInvokeError, match=r"id 'vpc-9', which the test does not know .*existing=\{'vpc-9'"):
        deploy(lambda: aws.ec2.get_vpc(id="vpc-9"), existing=EXISTING)
    with pytest.raises(UnansweredInvokeError, match="reads aws:ec2/vpc:Vpc 'v' with the id 'vpc-9'"):
        deploy(lambda: aws.ec2.Vpc.get("v", "vpc-9"))
