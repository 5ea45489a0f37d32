"""What is recorded of a registration, and how a test finds it."""

import pulumi
import pulumi_aws as aws
import pulumi_random as random
import pytest

from edgelib.testing import NewResource, RecordingError, deploy


class Site(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Site", name, {"size": 1}, opts)
        inside = pulumi.ResourceOptions
        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block="10.0.0.0/16",
            opts=inside(parent=self, ignore_changes=["tags"], custom_timeouts=pulumi.CustomTimeouts(create="10m")),
        )
        aws.ec2.Subnet(
            f"{name}-edge",
            vpc_id=vpc.id,
            cidr_block="10.0.1.0/24",
            opts=inside(parent=self, delete_before_replace=True, replace_on_changes=["cidrBlock"]),
        )
        self.register_outputs({"vpc_id": vpc.id, "key": pulumi.Output.secret("k")})


def test_a_component_is_recorded_with_inputs_children_and_outputs() -> None:
    recording = deploy(lambda: Site("boston"))
    site = recording.one(Site)
    assert (site.type, site.custom, site.parent, site.id) == ("test:index:Site", False, None, None)
    assert site.inputs == {"size": 1}
    assert site.outputs == {"vpc_id": "vpc-boston-vpc", "key": "k"}
    assert site.secret_outputs == {"key"}
    assert site.output_registrations == 1
    assert [child.name for child in recording.children("boston")] == ["boston-vpc", "boston-edge"]
    assert recording.one(aws.ec2.Vpc).parent_name == "boston"
    assert recording.one(aws.ec2.Vpc).urn == ("urn:pulumi:test::edgelib::test:index:Site$aws:ec2/vpc:Vpc::boston-vpc")


def test_a_component_without_register_outputs_shows() -> None:
    class Forgetful(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("test:index:Forgetful", "f", {}, None)

    site = deploy(Forgetful).one(Forgetful)
    assert (site.output_registrations, site.outputs) == (0, {})


def test_own_and_inherited_options_are_recorded() -> None:
    def program() -> None:
        provider = aws.Provider("east", region="us-east-1")
        bucket = aws.s3.Bucket("state")
        options = pulumi.ResourceOptions(
            protect=True,
            retain_on_delete=True,
            providers=[provider],
            depends_on=[bucket],
            aliases=[pulumi.Alias(name="old"), "urn:pulumi:test::edgelib::test:index:Site::older"],
        )
        Site("boston", options)

    recording = deploy(program)
    site, vpc, subnet = (recording.named(name) for name in ("boston", "boston-vpc", "boston-edge"))
    provider, bucket = recording.named("east").urn, recording.named("state").urn
    assert site.options.protect is True
    assert site.options.retain_on_delete is True
    assert site.options.providers == {"aws": provider}
    assert site.options.depends_on == (bucket,)
    assert [alias if isinstance(alias, str) else alias["name"] for alias in site.options.aliases] == [
        "old",
        "urn:pulumi:test::edgelib::test:index:Site::older",
    ]
    assert vpc.options.protect is True
    assert vpc.options.provider == provider
    assert vpc.options.aliases == ()
    assert vpc.options.ignore_changes == ("tags",)
    assert vpc.options.custom_timeouts == {"create": "10m"}
    assert subnet.options.delete_before_replace is True
    assert subnet.options.replace_on_changes == ("cidrBlock",)
    assert subnet.options.depends_on == (vpc.urn,)
    assert subnet.options.property_dependencies["vpcId"] == (vpc.urn,)


def test_options_that_are_not_given_read_as_none() -> None:
    options = deploy(lambda: aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")).named("main").options
    assert (options.protect, options.retain_on_delete, options.delete_before_replace) == (None, None, None)
    assert (options.provider, options.deleted_with, options.custom_timeouts) == (None, None, {})


def test_transforms_and_hooks_are_recorded_and_not_run() -> None:
    def never(*_: object) -> None:
        raise AssertionError("it ran")

    def program() -> None:
        hook = pulumi.ResourceHook("notify", never)
        options = pulumi.ResourceOptions(
            transforms=[never],
            hooks=pulumi.ResourceHookBinding(after_create=[hook]),
        )
        aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", opts=options)

    options = deploy(program).named("main").options
    assert options.transforms == 1
    assert options.hooks == {"after_create": ("notify",)}


def test_an_import_and_a_look_up_keep_their_ids() -> None:
    def program() -> None:
        aws.ec2.Vpc("taken", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(import_="vpc-1"))
        pulumi.export("cidr", aws.ec2.Vpc.get("there", "vpc-2").cidr_block)

    for preview in (False, True):
        recording = deploy(program, existing={"vpc-2": {"cidrBlock": "10.9.0.0/16"}}, preview=preview)
        assert (recording.named("taken").import_id, recording.named("taken").id) == ("vpc-1", "vpc-1")
        assert (recording.named("there").read, recording.named("there").id) == (True, "vpc-2")
        assert recording.exports == {"cidr": "10.9.0.0/16"}


def test_secrets_are_unwrapped_and_their_paths_known() -> None:
    def program() -> None:
        aws.ec2.Instance(
            "node",
            ami="ami-1",
            instance_type="t3.medium",
            user_data=pulumi.Output.secret("#!/bin/sh"),
            tags={"Name": "node", "example.com/token": pulumi.Output.secret("t")},
        )

    for preview in (False, True):
        node = deploy(program, preview=preview).named("node")
        assert node.inputs["userData"] == "#!/bin/sh"
        assert node.inputs["tags"] == {"Name": "node", "example.com/token": "t"}
        assert node.secret_inputs == {"userData", 'tags["example.com/token"]'}
        assert "userData" in node.secret_outputs


def test_a_secret_input_stays_secret_through_an_output_and_an_apply() -> None:
    def program() -> None:
        parameter = aws.ssm.Parameter("token", type="SecureString", value=pulumi.Output.secret("t"))
        pulumi.export("upper", parameter.value.apply(lambda text: text.upper()))

    recording = deploy(program)
    assert recording.exports == {"upper": "T"}
    assert recording.secret_exports == {"upper"}


def test_outputs_that_the_sdk_declares_secret_are_secret() -> None:
    def program() -> None:
        pulumi.export("password", random.RandomPassword("admin", length=24).result)

    recording = deploy(program)
    assert len(recording.exports["password"]) == 24
    assert recording.secret_exports == {"password"}


def test_numbers_lists_and_resource_references_are_plain_data() -> None:
    def program() -> None:
        aws.ec2.SecurityGroup(
            "web",
            ingress=[{"protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_blocks": ["0.0.0.0/0"]}],
        )
        pulumi.export("numbers", [1, 1.5, None, True])
        pulumi.export("text", pulumi.StringAsset("hello"))

    recording = deploy(program)
    rule = {"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": ["0.0.0.0/0"]}
    assert recording.named("web").inputs["ingress"] == [rule]
    assert recording.exports["numbers"] == [1, 1.5, None, True]
    assert recording.exports["text"]["text"] == "hello"


def test_computed_outputs_look_like_aws() -> None:
    def program() -> None:
        vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        subnet = aws.ec2.Subnet("edge", vpc_id=vpc.id, cidr_block="10.0.7.0/28", availability_zone="us-east-1b")
        nic = aws.ec2.NetworkInterface("node", subnet_id=subnet.id)
        attached = [{"network_interface_id": nic.id, "device_index": 0}]
        node = aws.ec2.Instance("node", ami="ami-1", instance_type="t3.medium", network_interfaces=attached)
        carrier = aws.ec2.Eip("carrier", network_border_group="us-east-1-wl1-bos-wlz-1")
        public = aws.ec2.Eip("public")
        role = aws.iam.Role("node", assume_role_policy="{}")
        pulumi.export("vpc_arn", vpc.arn)
        pulumi.export("nic", node.primary_network_interface_id)
        pulumi.export("ips", [nic.private_ip, node.private_ip])
        pulumi.export("az", node.availability_zone)
        pulumi.export("carrier", [carrier.carrier_ip, carrier.public_ip])
        pulumi.export("public", [public.public_ip, public.carrier_ip])
        pulumi.export("role", [role.name, role.arn, role.id])

    exports = deploy(program).exports
    assert exports["vpc_arn"] == "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-main"
    assert exports["nic"] == "eni-node"
    nic_ip, node_ip = exports["ips"]
    assert nic_ip == node_ip
    assert nic_ip.startswith("10.0.7.")
    assert exports["az"] == "us-east-1b"
    assert exports["carrier"][0].startswith("198.19.")
    assert not exports["carrier"][1]
    assert exports["public"][0].startswith("198.18.")
    name, arn, role_id = exports["role"]
    assert name == role_id
    assert name.startswith("node-")
    assert arn == f"arn:aws:iam::123456789012:role/{name}"


def test_every_address_of_a_small_subnet_is_given_once() -> None:
    def program() -> None:
        subnet = aws.ec2.Subnet("edge", vpc_id="vpc-1", cidr_block="10.0.7.0/28", availability_zone="us-east-1b")
        for number in range(11):
            aws.ec2.NetworkInterface(f"nic-{number}", subnet_id=subnet.id)

    addresses = {nic.outputs["privateIp"] for nic in deploy(program).all(aws.ec2.NetworkInterface)}
    assert addresses == {f"10.0.7.{host}" for host in range(4, 15)}


def test_outputs_can_be_given_by_type_as_values_or_as_a_function() -> None:
    def program() -> None:
        vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        bucket = aws.s3.Bucket("state", bucket="mine")
        pulumi.export("vpc", [vpc.id, vpc.main_route_table_id])
        pulumi.export("bucket", bucket.hosted_zone_id)

    def bucket(new: NewResource) -> dict[str, str]:
        return {"hostedZoneId": f"zone of {new.name} {new.inputs['bucket']} in {new.region}"}

    outputs = {aws.ec2.Vpc: {"id": "vpc-0abc", "mainRouteTableId": "rtb-0abc"}, "aws:s3/bucket:Bucket": bucket}
    recording = deploy(program, outputs=outputs)
    assert recording.exports["vpc"] == ["vpc-0abc", "rtb-0abc"]
    assert recording.exports["bucket"] == "zone of state mine in us-east-1"
    assert recording.named("main").id == "vpc-0abc"


def test_a_value_that_is_no_data_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"mainRouteTableId: .* is no property value"):
        deploy(lambda: aws.ec2.Vpc("main"), outputs={aws.ec2.Vpc: {"mainRouteTableId": object()}})


def test_look_ups_by_class_token_and_name() -> None:
    recording = deploy(lambda: [Site("boston"), Site("chicago")])
    assert recording.one(aws.ec2.Vpc, "boston-vpc") is recording.one("aws:ec2/vpc:Vpc", "boston-vpc")
    assert len(recording.all(aws.ec2.Vpc)) == 2
    assert len(recording.all(Site)) == 2
    assert recording.all("aws:ec2/eip:Eip") == []
    assert len(recording.all()) == 6
    site = recording.one(Site, "chicago")
    assert [each.name for each in recording.descendants(site)] == ["chicago-vpc", "chicago-edge"]


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        (
            aws.ec2.Vpc,
            "bostn-vpc",
            "no aws:ec2/vpc:Vpc 'bostn-vpc'; of that type there are: aws:ec2/vpc:Vpc 'boston-vpc'",
        ),
        (aws.ec2.Vpc, None, "2 resources are aws:ec2/vpc:Vpc: .*'boston-vpc', .*'chicago-vpc'; name the one you mean"),
        (aws.ec2.Subnet, "boston-vpc", "of that type there are: .*'boston-edge'"),
        (aws.ec2.Eip, "boston-vpc", "no aws:ec2/eip:Eip 'boston-vpc'; but of that name there are: aws:ec2/vpc:Vpc"),
        ("aws:ec2/vpc:Vpcs", None, "the recorded types are: aws:ec2/vpc:Vpc"),
    ],
)
def test_a_failed_look_up_says_what_there_is(kind: object, name: str | None, message: str) -> None:
    recording = deploy(lambda: [Site("boston"), Site("chicago")])
    with pytest.raises(RecordingError, match=message):
        recording.one(kind, name)


def test_a_name_that_several_resources_have_is_refused() -> None:
    def program() -> None:
        aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")
        aws.ec2.Eip("main")

    with pytest.raises(RecordingError, match=r"2 resources are called 'main': .*use one\(type, name\)"):
        deploy(program).named("main")
    with pytest.raises(RecordingError, match=r"no resource is called 'mian'; there are: .*'main'"):
        deploy(program).children("mian")


def test_a_component_that_a_plugin_builds_outputs_what_the_test_gives() -> None:
    class Cluster(pulumi.ComponentResource):
        def __init__(self, name: str, vpc: aws.ec2.Vpc) -> None:
            super().__init__("eks:index:Cluster", name, {"vpc": vpc, "kubeconfig": None}, None, remote=True)

    def program() -> None:
        cluster = Cluster("shop", aws.ec2.Vpc("main", cidr_block="10.0.0.0/16"))
        pulumi.export("kubeconfig", cluster.kubeconfig)
        pulumi.export("cidr", cluster.vpc.apply(lambda vpc: vpc.cidr_block))

    recording = deploy(program, outputs={"eks:index:Cluster": {"kubeconfig": "{}"}})
    cluster = recording.named("shop")
    assert (cluster.remote, cluster.custom, cluster.id) == (True, False, None)
    assert cluster.inputs["vpc"]["urn"] == recording.named("main").urn
    assert recording.exports == {"kubeconfig": "{}", "cidr": "10.0.0.0/16"}
