# ruff: noqa: N802 - the methods have the names of the protocol
"""The engine's end of the resource protocol, inside the program's own process.

The Python SDK takes any object with the methods of its gRPC stub (`pulumi.runtime.Settings(monitor=...)`) and calls
them on executor threads, several at once. It awaits the inputs, parents and dependencies of a resource before it
registers it, so that a blocking method is all the scheduling that is needed.
"""

from typing import Final, NoReturn

from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, resource_pb2

from sandbox.engine import urns
from sandbox.engine.deployment import Deployment, Registered
from sandbox.engine.errors import EngineError, ResourceError
from sandbox.engine.report import Report
from sandbox.engine.values import UNKNOWN, Properties, Unknown, from_wire, reveal, to_wire

_UNKNOWN_ID: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_GET_RESOURCE: Final = "pulumi:pulumi:getResource"
_FEATURES: Final = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACEMENT_TRIGGER,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
)
_SEVERITIES: Final = {
    engine_pb2.DEBUG: "debug",
    engine_pb2.INFO: "info",
    engine_pb2.WARNING: "warning",
    engine_pb2.ERROR: "error",
}


class Monitor:
    """Answers the SDK's calls by a deployment; the features that it does not announce, the SDK refuses to use."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._provisioner = deployment.provisioner

    def GetDeploymentInfo(self, _request: empty_pb2.Empty) -> resource_pb2.DeploymentInfo:
        """What the engine can do."""
        return resource_pb2.DeploymentInfo(supportedFeatures=_FEATURES)

    def RegisterResource(self, request: resource_pb2.RegisterResourceRequest) -> resource_pb2.RegisterResourceResponse:
        """Make, change or keep a resource."""
        answer = self._deployment.register(request)
        return resource_pb2.RegisterResourceResponse(
            urn=answer.urn,
            id=answer.id,
            object=to_wire(answer.outputs),
            result=resource_pb2.Result.SUCCESS if answer.done else resource_pb2.Result.FAIL,
        )

    def RegisterResourceOutputs(self, request: resource_pb2.RegisterResourceOutputsRequest) -> empty_pb2.Empty:
        """Keep the outputs of a component or of the stack."""
        self._deployment.set_outputs(request.urn, from_wire(request.outputs))
        return empty_pb2.Empty()

    def ReadResource(self, request: resource_pb2.ReadResourceRequest) -> resource_pb2.ReadResourceResponse:
        """Look up an existing thing."""
        identifier: str | Unknown = UNKNOWN if request.id == _UNKNOWN_ID else request.id
        answer: Registered = self._deployment.read(request, identifier, from_wire(request.properties))
        return resource_pb2.ReadResourceResponse(
            urn=answer.urn,
            id=answer.id,
            properties=to_wire(answer.outputs),
            result=resource_pb2.Result.SUCCESS if answer.done else resource_pb2.Result.FAIL,
        )

    def Invoke(self, request: resource_pb2.ResourceInvokeRequest) -> resource_pb2.ResourceInvokeResponse:
        """Call a provider function."""
        arguments = reveal(from_wire(request.args))
        if request.tok == _GET_RESOURCE:
            return self._recorded(arguments["urn"])
        if self._deployment.lacks(request.provider):
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        function = self._provisioner.registry.function(request.tok)
        client = self._provisioner.client(request.tok, request.provider)
        if client is None:
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        with self._provisioner.explained(request.tok.partition(":")[0]):
            result = function(client, arguments)
        return _answer(result)

    def _recorded(self, urn: str) -> resource_pb2.ResourceInvokeResponse:
        resource = self._provisioner.state.get(urn)
        if resource is None:
            raise ResourceError(f"there is no resource {urn}")
        return _answer({"urn": urn, "id": resource.id, "state": resource.outputs})

    def Call(self, request: resource_pb2.ResourceCallRequest) -> NoReturn:
        """Call a resource's method: none of the known types has one."""
        raise EngineError(f"the sandbox's engine does not know the method {request.tok}")

    def SignalAndWaitForShutdown(self, _request: empty_pb2.Empty) -> empty_pb2.Empty:
        """The program has registered everything."""
        return empty_pb2.Empty()


class Log:
    """The receiver of `pulumi.log`."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def Log(self, request: engine_pb2.LogRequest) -> empty_pb2.Empty:
        """Show a message of the program or the SDK."""
        severity = _SEVERITIES[request.severity]
        about = f"{urns.name_of(request.urn)}: " if request.urn else ""
        self._report.say(f"{about}{request.message}", severity)
        return empty_pb2.Empty()

    def RequirePulumiVersion(self, _request: engine_pb2.RequirePulumiVersionRequest) -> empty_pb2.Empty:
        """The engine is not a version of the CLI: there is nothing to compare with."""
        return empty_pb2.Empty()


def _answer(result: Properties) -> resource_pb2.ResourceInvokeResponse:
    response = resource_pb2.ResourceInvokeResponse()
    getattr(response, "return").CopyFrom(to_wire(result))  # the field's name is a keyword
    return response
