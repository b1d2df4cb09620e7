"""Pulumi's language host for Python, where the official one, which comes with the CLI's own release, cannot be had.

The CLI starts it as `pulumi-language-python ADDRESS`, reads the port of its gRPC server from its standard output and
asks it to run the program. Like the official host it leaves that to `pulumi-language-python-exec`, which comes with the
Pulumi SDK's Go module and is installed beside this file, in a process of its own.

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
"""Exit status of the executor after it has logged the error of the program."""


def serve(engine: str) -> None:
    """Serve until the CLI ends this process."""
    # Not at the top: the process that runs the program imports them as it needs them.
    import grpc  # noqa: PLC0415
    from google.protobuf import empty_pb2  # noqa: PLC0415
    from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2  # noqa: PLC0415

    class Host(language_pb2_grpc.LanguageRuntimeServicer):
        """Answers what the CLI asks for `preview`, `up`, `refresh`, `destroy` and `about`."""

        def Handshake(self, request: Any, context: Any) -> Any:
            return language_pb2.LanguageHandshakeResponse()

        def GetPluginInfo(self, request: Any, context: Any) -> Any:
            return plugin_pb2.PluginInfo()

        def About(self, request: Any, context: Any) -> Any:
            return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.partition(" ")[0])

        def GetRequiredPackages(self, request: Any, context: Any) -> Any:
            # Each resource names the version of its provider.
            return language_pb2.GetRequiredPackagesResponse()

        def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:
            return language_pb2.RuntimeOptionsResponse()

        def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
            # `make` has installed them.
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
    """Run the program of a RunRequest to its end; what it prints goes to the CLI.

    Args:
        request: The RunRequest.
        engine: Address of the CLI's engine.

    Returns:
        The exit status of the executor.
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

    The configuration holds decrypted secrets: it comes by standard input, as the environment that a process starts with
    can be read from outside.
    """
    os.environ.update(json.load(sys.stdin))
    sys.argv = [str(EXECUTOR), *arguments]
    runpy.run_path(str(EXECUTOR), run_name="__main__")


RUNNING: list["subprocess.Popen[str]"] = []


def stop(*_: object) -> None:
    """End at once, and the program with it: the CLI waits for it."""
    for process in RUNNING:
        process.kill()
    os._exit(0)


def stop_with(parent: int) -> None:
    """End as soon as the CLI is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(1)
    stop()


if __name__ == "__main__":
    if sys.argv[1] == EXECUTE:
        execute(sys.argv[2:])
        sys.exit()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
    threading.Thread(target=stop_with, args=[os.getppid()], daemon=True).start()
    serve([argument for argument in sys.argv[1:] if not argument.startswith("-")][-1])
