"""A provider in this process and the engine's side of the protocol, as far as these tests speak it."""

import dataclasses
from concurrent import futures

import grpc
from pulumi.runtime.proto import provider_pb2 as pb
from pulumi.runtime.proto import provider_pb2_grpc, status_pb2

from edgelib.sandbox.providers.server import provider_of
from edgelib.sandbox.providers.values import decode, encode


@dataclasses.dataclass
class Made:
    """A resource as the engine's state has it."""

    type: str
    name: str
    id: str
    outputs: dict
    inputs: dict


class UnfinishedError(Exception):
    """ErrorResourceInitFailed: the engine keeps `made` in its state."""

    def __init__(self, made, reasons):
        super().__init__("; ".join(reasons))
        self.made = made


class Client:
    def __init__(self, package, notes, config=None):
        self.provider = provider_of(package, notes=notes)
        self.server = grpc.server(futures.ThreadPoolExecutor(16))
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(self.provider, self.server)
        port = self.server.add_insecure_port("127.0.0.1:0")
        self.server.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)
        self.stub.Handshake(pb.ProviderHandshakeRequest())
        self.stub.Configure(pb.ConfigureRequest(args=encode(config or {})))

    def close(self):
        self.channel.close()
        self.server.stop(grace=None).wait()

    @staticmethod
    def urn(type_, name):
        return f"urn:pulumi:dev::project::edgelib:index:Site${type_}::{name}"

    def check(self, type_, props, old=None, name="one"):
        """The checked inputs and the reasons to refuse them, by property."""
        request = pb.CheckRequest(
            urn=self.urn(type_, name), news=encode(props), olds=encode(old or {}), randomSeed=b"7"
        )
        answer = self.stub.Check(request)
        return decode(answer.inputs), {failure.property: failure.reason for failure in answer.failures}

    def checked(self, *arguments, **more):
        inputs, failures = self.check(*arguments, **more)
        assert not failures, failures
        return inputs

    def create(self, type_, props, name="one"):
        inputs = self.checked(type_, props, name=name)
        try:
            answer = self.stub.Create(pb.CreateRequest(urn=self.urn(type_, name), properties=encode(inputs)))
        except grpc.RpcError as error:
            detail = _unfinished(error)
            if detail is None:
                raise
            made = Made(type_, name, detail.id, decode(detail.properties), decode(detail.inputs))
            raise UnfinishedError(made, detail.reasons) from error
        return Made(type_, name, answer.id, decode(answer.properties), inputs)

    def preview_create(self, type_, props, name="one"):
        request = pb.CreateRequest(
            urn=self.urn(type_, name), properties=encode(self.checked(type_, props, name=name)), preview=True
        )
        answer = self.stub.Create(request)
        assert answer.id == ""
        return decode(answer.properties)

    def diff(self, made, props):
        """{path: kind}, the properties that replace, and whether the old one goes first."""
        news = self.checked(made.type, props, made.inputs, made.name)
        answer = self.stub.Diff(
            pb.DiffRequest(
                id=made.id,
                urn=self.urn(made.type, made.name),
                olds=encode(made.outputs),
                old_inputs=encode(made.inputs),
                news=encode(news),
            )
        )
        assert (answer.changes == pb.DiffResponse.DIFF_SOME) == bool(answer.detailedDiff)
        kinds = {path: pb.PropertyDiff.Kind.Name(change.kind) for path, change in answer.detailedDiff.items()}
        return kinds, set(answer.replaces), answer.deleteBeforeReplace

    def update(self, made, props, *, preview=False):
        news = self.checked(made.type, props, made.inputs, made.name)
        answer = self.stub.Update(
            pb.UpdateRequest(
                id=made.id,
                urn=self.urn(made.type, made.name),
                olds=encode(made.outputs),
                old_inputs=encode(made.inputs),
                news=encode(news),
                preview=preview,
            )
        )
        return dataclasses.replace(made, outputs=decode(answer.properties), inputs=news)

    def refresh(self, made):
        """What the engine has after a refresh; None when the resource is gone."""
        answer = self.stub.Read(
            pb.ReadRequest(
                id=made.id,
                urn=self.urn(made.type, made.name),
                properties=encode(made.outputs),
                inputs=encode(made.inputs),
            )
        )
        if not answer.id:
            return None
        return dataclasses.replace(made, id=answer.id, outputs=decode(answer.properties), inputs=decode(answer.inputs))

    def imported(self, type_, id_, name="one"):
        answer = self.stub.Read(pb.ReadRequest(id=id_, urn=self.urn(type_, name)))
        return Made(type_, name, answer.id, decode(answer.properties), decode(answer.inputs))

    def delete(self, made):
        self.stub.Delete(
            pb.DeleteRequest(
                id=made.id,
                urn=self.urn(made.type, made.name),
                properties=encode(made.outputs),
                old_inputs=encode(made.inputs),
            )
        )

    def invoke(self, token, **arguments):
        answer = self.stub.Invoke(pb.InvokeRequest(tok=token, args=encode(arguments)))
        assert not answer.failures, answer.failures
        return decode(getattr(answer, "return"))


def _unfinished(error):
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            for item in status_pb2.Status.FromString(value).details:
                detail = pb.ErrorResourceInitFailed()
                assert item.Unpack(detail)
                return detail
    return None
