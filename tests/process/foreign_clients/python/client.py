"""grpcio, with generated code or by reflection.

Usage: client.py generated | reflection
"""

import sys

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from google.rpc import error_details_pb2
from grpc_status import rpc_status

import scenarios


def generated():
    """The descriptors and the methods of the generated code."""
    from postroom.sys.v1 import sys_pb2_grpc
    from postroom.v1 import messaging_pb2_grpc

    stubs = {
        "postroom.v1.Messaging": messaging_pb2_grpc.MessagingStub,
        "postroom.sys.v1.Sys": sys_pb2_grpc.SysStub,
    }

    def method(channel, service, name):
        return getattr(stubs[service](channel), name)

    return lambda channel: descriptor_pool.Default(), method


def reflection():
    """The descriptors that a listener hands out, and methods of any name."""
    from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
        ProtoReflectionDescriptorDatabase,
    )

    class Authorized(grpc.StreamStreamClientInterceptor):
        """Puts the app's token into the calls of reflection."""

        def intercept_stream_stream(self, proceed, details, requests):
            metadata = [("authorization", f"Bearer {scenarios.APP}")]
            return proceed(details._replace(metadata=metadata), requests)

    def pool(channel):
        channel = grpc.intercept_channel(channel, Authorized())
        return descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))

    def method(channel, service, name):
        descriptor = pool(channel).FindServiceByName(service).methods_by_name[name]
        is_stream = descriptor.server_streaming
        make = channel.unary_stream if is_stream else channel.unary_unary
        return make(
            f"/{service}/{name}",
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=message_factory.GetMessageClass(
                descriptor.output_type
            ).FromString,
        )

    return pool, method


class Client:
    """Calls with requests and responses in JSON's form."""

    def __init__(self, mode):
        self.pool, self.method = mode
        self.channels = {
            service: grpc.insecure_channel(address)
            for service, address in scenarios.LISTENERS.items()
        }

    def start(self, service, name, token, request):
        channel = self.channels[service]
        pool = self.pool(channel)
        descriptor = pool.FindServiceByName(service).methods_by_name[name]
        message = message_factory.GetMessageClass(descriptor.input_type)()
        json_format.ParseDict(request, message)
        metadata = [("authorization", f"Bearer {token}")]
        method = self.method(channel, service, name)
        return method(message, metadata=metadata, timeout=60)

    def call(self, service, name, token, request):
        try:
            return as_json(self.start(service, name, token, request))
        except grpc.RpcError as error:
            raise scenarios.Refused(error.code().name, details(error)) from error

    def stream(self, service, name, token, request):
        call = self.start(service, name, token, request)
        yield from (as_json(response) for response in call)


def as_json(message):
    return json_format.MessageToDict(message, always_print_fields_with_no_presence=True)


def details(error):
    """The details of a status, by their type."""
    found = {}
    for detail in rpc_status.from_call(error).details:
        for kind in [error_details_pb2.ErrorInfo, error_details_pb2.BadRequest]:
            if detail.Is(kind.DESCRIPTOR):
                message = kind()
                detail.Unpack(message)
                found[kind.DESCRIPTOR.name] = as_json(message)
    return found


scenarios.run(Client({"generated": generated, "reflection": reflection}[sys.argv[1]]()))
