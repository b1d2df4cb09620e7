"""A Pulumi language host for Python, used if the official one of the CLI's release is not available.

The CLI starts it as `pulumi-language-python ADDRESS`, reads the port of its gRPC server from standard output, and calls
it to run the program. Like the official host, it does so with `pulumi-language-python-exec` in a separate process; that
file comes from the Pulumi SDK's Go module and is installed beside this one.

Source: pulumi/pulumi `sdk/python/cmd/pulumi-language-python/main.go` and `proto/pulumi/language.proto`.
"""

import json
import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

EXECUTOR = Path(__file__).with_name("pulumi-language-python-exec")
EXECUTE = "--execute"
"""First argument of the process that runs the program."""
ALREADY_REPORTED = 32
"""Exit status of the executor if it has already logged the program's error."""


def serve(engine: str) -> None:
    """Serve until the CLI terminates this process."""
    # Not at module level: the process that runs the program does not need all of them.
    import grpc
    from google.protobuf import empty_pb2
    from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

    class Host(language_pb2_grpc.LanguageRuntimeServicer):
        """The methods that the CLI calls for `preview`, `up`, `refresh`, `destroy` and `about`."""

        def Handshake(self, request: Any, context: Any) -> Any:
            return language_pb2.LanguageHandshakeResponse()

        def GetPluginInfo(self, request: Any, context: Any) -> Any:
            return plugin_pb2.PluginInfo()

        def About(self, request: Any, context: Any) -> Any:
            return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.partition(" ")[0])

        def GetRequiredPackages(self, request: Any, context: Any) -> Any:
            # Each resource specifies the version of its provider.
            return language_pb2.GetRequiredPackagesResponse()

        def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
            return language_pb2.RuntimeOptionsResponse()

        def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
            # `make` installs them.
            yield from ()

        def Cancel(self, request: Any, context: Any) -> Any:
            stop()
            return empty_pb2.Empty()

        def Run(self, request: Any, context: Any) -> Any:
            status = run_program(request, engine)
            if status == ALREADY_REPORTED:
                return language_pb2.RunResponse(bail=True)
            error = f"program exited with non-zero exit code: {status}" if status else ""
            return language_pb2.RunResponse(error=error)

    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=4), options=[("grpc.max_receive_message_length", 400 << 20)]
    )
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(Host(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    server.wait_for_termination()


def run_program(request: Any, engine: str) -> int:
    """Run the program of a RunRequest, and return the exit status of the executor.

    Args:
        request: The RunRequest.
        engine: Address of the CLI's engine.
    """
    options = {
        "monitor": request.monitor_address,
        "engine": engine,
        "project": request.project,
        "root_directory": request.info.root_directory,
        "stack": request.stack,
        "pwd": request.pwd,
        "organization": request.organization,
        "dry_run": "true" if request.dryRun else "",
        "parallel": str(request.parallel),
    }
    arguments = [item for name, value in options.items() if value for item in (f"--{name}", value)]
    configuration = {
        "PULUMI_CONFIG": json.dumps(dict(request.config)),
        "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
    }
    with subprocess.Popen(
        [sys.executable, "-u", __file__, EXECUTE, *arguments, request.info.entry_point, *request.args],
        cwd=request.info.program_directory,
        stdin=subprocess.PIPE,
        text=True,
    ) as process:
        RUNNING.append(process)
        process.communicate(json.dumps(configuration))
        RUNNING.remove(process)
        return process.returncode


def execute(arguments: list[str]) -> None:
    """Run the executor in this process.

    The configuration contains decrypted secrets, so it is read from standard input: other processes can read the
    initial environment of a process.
    """
    os.environ.update(json.load(sys.stdin))
    sys.argv = [str(EXECUTOR), *arguments]
    runpy.run_path(str(EXECUTOR), run_name="__main__")


RUNNING: list["subprocess.Popen[str]"] = []


def stop(*_: object) -> None:
    """Kill the program and exit, as the CLI waits for this process."""
    for process in RUNNING:
        process.kill()
    os._exit(0)


def stop_after(parent: int) -> None:
    """Exit as soon as the CLI has ended for any reason."""
    while os.getppid() == parent:
        time.sleep(1)
    stop()


if __name__ == "__main__":
    if sys.argv[1] == EXECUTE:
        execute(sys.argv[2:])
        sys.exit()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
    threading.Thread(target=stop_after, args=[os.getppid()], daemon=True).start()
    serve([argument for argument in sys.argv[1:] if not argument.startswith("-")][-1])
