"""The harness itself: what a program does, and what it does wrong, reaches the test."""

import asyncio
import json
import threading

import pulumi
import pulumi_aws as aws
import pytest

from edgelib.testing import (
    UNKNOWN,
    DuplicateResourceError,
    OutputAsTextError,
    deploy,
)


def one_vpc() -> None:
    vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
    pulumi.export("vpc_id", vpc.id)


def test_an_update_knows_ids_and_a_preview_does_not() -> None:
    assert deploy(one_vpc).exports == {"vpc_id": "vpc-main"}
    assert deploy(one_vpc, preview=True).exports == {"vpc_id": UNKNOWN}


def test_a_preview_knows_inputs_and_marks_what_depends_on_unknowns() -> None:
    def program() -> None:
        vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        aws.ec2.Subnet("edge", vpc_id=vpc.id, cidr_block=vpc.cidr_block, tags={"Vpc": vpc.arn, "Name": "edge"})

    subnet = deploy(program, preview=True).one(aws.ec2.Subnet)
    assert subnet.inputs["vpcId"] is UNKNOWN
    assert subnet.inputs["cidrBlock"] == "10.0.0.0/16"
    assert subnet.inputs["tags"] == {"Name": "edge", "Vpc": UNKNOWN}
    assert repr(subnet.inputs["vpcId"]) == "UNKNOWN"


def test_applies_run_in_an_update_and_not_on_unknowns() -> None:
    seen: list[str] = []

    def program() -> None:
        aws.ec2.Vpc("main", cidr_block="10.0.0.0/16").id.apply(seen.append)

    deploy(program, preview=True)
    assert seen == []
    deploy(program)
    assert seen == ["vpc-main"]


def test_an_apply_that_raises_fails_the_test_even_if_nobody_uses_it() -> None:
    def program() -> None:
        def refuse(vpc_id: str) -> None:
            raise ValueError(f"{vpc_id} is refused")

        aws.ec2.Vpc("main", cidr_block="10.0.0.0/16").id.apply(refuse)

    with pytest.raises(ValueError, match="vpc-main is refused"):
        deploy(program)


def test_an_apply_that_raises_fails_the_test_if_a_resource_uses_it() -> None:
    def program() -> None:
        vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        aws.ec2.Subnet("edge", vpc_id=vpc.id.apply(lambda vpc_id: {}[vpc_id]), cidr_block="10.0.0.0/24")
        pulumi.export("id", vpc.id)

    with pytest.raises(KeyError, match="vpc-main"):
        deploy(program)


def test_what_the_program_raises_reaches_the_test() -> None:
    def program() -> None:
        aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        raise RuntimeError("no such site")

    with pytest.raises(RuntimeError, match="no such site"):
        deploy(program)


def test_nothing_of_a_failed_deployment_reaches_the_next() -> None:
    def program() -> None:
        pulumi.export("left", "over")
        aws.ec2.Vpc("left", cidr_block="10.0.0.0/16").id.apply(lambda _: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        deploy(program, config={"left": "over"})

    def check() -> None:
        pulumi.export("left", pulumi.Config().get("left"))

    recording = deploy(check)
    assert recording.exports.get("left") is None
    assert recording.resources == ()


def test_exports_and_config_do_not_leak_into_the_next_deployment() -> None:
    def first() -> None:
        pulumi.export("first", pulumi.Config().require("size"))

    def second() -> None:
        pulumi.export("second", pulumi.Config().get("size") or "none")

    assert deploy(first, config={"size": "large"}).exports == {"first": "large"}
    assert deploy(second).exports == {"second": "none"}


def test_deployments_work_before_after_and_inside_other_asyncio_code() -> None:
    async def inside() -> object:
        return deploy(one_vpc).exports["vpc_id"]

    assert deploy(one_vpc).exports["vpc_id"] == "vpc-main"
    assert asyncio.run(inside()) == "vpc-main"
    assert deploy(one_vpc).exports["vpc_id"] == "vpc-main"


def test_a_deployment_leaves_the_event_loop_of_the_test_alone() -> None:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        deploy(one_vpc)
        assert asyncio.get_event_loop() is loop
        assert not loop.is_closed()
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_hundreds_of_deployments_leave_no_threads() -> None:
    deploy(one_vpc)
    before = threading.active_count()
    for _ in range(200):
        deploy(one_vpc)
    assert threading.active_count() == before


def test_the_program_may_be_a_coroutine_function() -> None:
    async def program() -> None:
        vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        await asyncio.sleep(0)
        pulumi.export("vpc_id", vpc.id)

    assert deploy(program).exports == {"vpc_id": "vpc-main"}


def test_project_stack_and_config_are_what_the_program_sees() -> None:
    def program() -> None:
        config = pulumi.Config()
        pulumi.export("where", f"{pulumi.get_project()}/{pulumi.get_stack()}")
        pulumi.export("count", config.require_int("count"))
        pulumi.export("spot", config.require_bool("spot"))
        pulumi.export("zones", config.require_object("zones"))
        pulumi.export("region", aws.config.region)
        pulumi.export("token", config.require_secret("token"))

    values = {"count": 3, "spot": True, "zones": ["bos"], "aws:region": "eu-west-2", "token": "t"}
    recording = deploy(program, project="site", stack="boston", config=values)
    assert recording.exports == {
        "where": "site/boston",
        "count": 3,
        "spot": True,
        "zones": ["bos"],
        "region": "eu-west-2",
        "token": "t",
    }
    assert recording.secret_exports == {"token"}


def test_two_resources_of_one_urn_are_refused() -> None:
    def program() -> None:
        aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        aws.ec2.Vpc("main", cidr_block="10.1.0.0/16")

    with pytest.raises(DuplicateResourceError, match="two resources are aws:ec2/vpc:Vpc 'main' under the stack"):
        deploy(program)


def test_one_name_under_two_parents_is_not_a_duplicate() -> None:
    class Site(pulumi.ComponentResource):
        def __init__(self, name: str) -> None:
            super().__init__("test:index:Site", name, {}, None)
            aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(parent=self))

    class Shop(Site):
        def __init__(self, name: str) -> None:
            super(Site, self).__init__("test:index:Shop", name, {}, None)
            aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(parent=self))

    def program() -> None:
        Site("a")
        Shop("b")

    assert {vpc.id for vpc in deploy(program).all(aws.ec2.Vpc)} == {"vpc-vpc", "vpc-vpc-2"}


def test_same_name_under_two_parents_of_one_type_is_a_duplicate_as_for_the_engine() -> None:
    class Site(pulumi.ComponentResource):
        def __init__(self, name: str) -> None:
            super().__init__("test:index:Site", name, {}, None)
            aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(parent=self))

    def program() -> None:
        Site("a")
        Site("b")

    with pytest.raises(DuplicateResourceError):
        deploy(program)


def test_an_output_in_an_input_is_refused_naming_resource_property_and_line() -> None:
    def program() -> None:
        vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        aws.ec2.Subnet("edge", vpc_id=vpc.id, cidr_block="10.0.0.0/24", tags={"Name": f"edge of {vpc.id}"})

    with pytest.raises(OutputAsTextError, match=r"aws:ec2/subnet:Subnet 'edge': input tags\.Name holds") as caught:
        deploy(program)
    assert "test_deploy.py:" in caught.value.__notes__[0]


@pytest.mark.parametrize("preview", [False, True])
def test_an_output_in_an_export_or_a_component_output_is_refused(preview: bool) -> None:
    class Site(pulumi.ComponentResource):
        def __init__(self, name: str) -> None:
            super().__init__("test:index:Site", name, {}, None)
            vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(parent=self))
            self.register_outputs({"label": f"{vpc.id}"})

    def export() -> None:
        pulumi.export("label", f"{aws.ec2.Vpc('vpc', cidr_block='10.0.0.0/16').id}")

    with pytest.raises(OutputAsTextError, match="test:index:Site 'site': output label"):
        deploy(lambda: Site("site"), preview=preview)
    with pytest.raises(OutputAsTextError, match="export label"):
        deploy(export, preview=preview)


def test_an_output_as_text_is_refused_even_where_the_text_is_not_seen_again() -> None:
    def program() -> None:
        vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        aws.ec2.Vpc("other", cidr_block="10.0.0.0/16", tags={"Digest": str(len(str(vpc.id)))})

    with pytest.raises(OutputAsTextError, match=r"turned into text at .*test_deploy\.py:\d+"):
        deploy(program)


def test_a_program_cannot_hide_its_mistakes() -> None:
    def program() -> None:
        try:
            aws.ec2.get_ami(most_recent=True)
        except Exception:  # noqa: BLE001 - the point of the test
            pulumi.export("ami", "ami-1")

    with pytest.raises(AssertionError, match="aws:ec2/getAmi:getAmi"):
        deploy(program)


def test_log_messages_are_recorded() -> None:
    def program() -> None:
        vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        pulumi.log.warn("the zone is full", resource=vpc)
        pulumi.log.info("hello")

    recording = deploy(program)
    assert recording.warnings == ["the zone is full"]
    assert {(entry.severity, entry.urn) for entry in recording.logs} == {
        ("info", None),
        ("warning", recording.named("main").urn),
    }


def test_json_outputs_with_secrets_stay_secret() -> None:
    def program() -> None:
        pulumi.export("doc", pulumi.Output.json_dumps({"password": pulumi.Output.secret("p")}))

    recording = deploy(program)
    assert json.loads(recording.exports["doc"]) == {"password": "p"}
    assert recording.secret_exports == {"doc"}
