import grpc


class Refused(grpc.RpcError):
    """A provider function that fails, as the engine reports it."""

    def code(self) -> grpc.StatusCode:
        """The status that providers give to any failure."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """What the provider says."""
        return str(self)
