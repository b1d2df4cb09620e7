"""The origin and storage of the tools, with a fake toolchain."""

import hashlib
import threading
from pathlib import Path

import pytest

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.tools import provision, store
from sandbox.tools.downloads import Downloads
from sandbox.tools.versions import DataFile, Download, Tool

SCRIPT = "#!/bin/sh\necho v{version}\n"

GO = """\
#!/bin/sh
# Logs each build, and "links" scripts that print the version in $VERSION.
case "$1" in
env) echo go1.99.0 ;;
mod) echo "{{\\"Dir\\": \\"{module}\\"}}" ;;
build)
  echo "$@" >> {log}
  [ -z "$BROKEN" ] || {{ echo "undefined: everything" >&2; exit 1; }}
  sleep "${{SLOW:-0}}"
  while [ "$1" != -o ]; do shift; done
  into=$2
  for package in "$@"; do
    case "$package" in example.org/*) ;; *) continue ;; esac
    printf '#!/bin/sh\\necho v%s\\n' "$VERSION" > "$into$(basename "$package")"
    chmod 755 "$into$(basename "$package")"
  done ;;
esac
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    monkeypatch.setattr("sandbox.tools.golang._POLL", 0.02)
    return tmp_path / "cache"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory at the front of PATH."""
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory), prepend=":")
    return directory


@pytest.fixture
def go_log(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the log of the fake toolchain, with one line per build."""
    module = tmp_path / "module"
    (module / "stages").mkdir(parents=True)
    for name in ("a", "b"):
        (module / "stages" / f"{name}.yaml").write_text(f"name: {name}\n")
    log = tmp_path / "builds"
    write_program(programs / "go", GO.format(module=module, log=log))
    monkeypatch.setenv("VERSION", "1.2.3")
    return log


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def offer(monkeypatch: pytest.MonkeyPatch, *tools: Tool) -> None:
    for module in (provision, store):
        monkeypatch.setattr(module, "TOOLS", {tool.name: tool for tool in tools})


def tool(**changes: object) -> Tool:
    defaults = {"name": "some-tool", "version": "1.2.3", "package": "example.org/cmd/some-tool"}
    return Tool(**{**defaults, **changes})  # type: ignore[arg-type]


def release(path: Path, version: str) -> Download:
    write_program(path, SCRIPT.format(version=version))
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    return Download(url=path.as_uri(), sha256={Downloads().architecture: checksum})


def ensure(*names: str) -> list[str]:
    lines: list[str] = []
    provision.ensure(names or ("some-tool",), report=lines.append)
    return lines


def test_program_of_the_machine_is_preferred(
    programs: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(programs / "some-tool", SCRIPT.format(version="1.2.4"))
    offer(monkeypatch, tool(download=release(tmp_path / "release", "1.2.3")))
    assert f"found at {programs / 'some-tool'}" in ensure()[0]
    assert (store.bin_dir() / "some-tool").resolve() == programs / "some-tool"
    assert store.bin_dir().is_relative_to(cache)


def test_program_of_the_machine_that_changed_is_replaced(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(programs / "some-tool", SCRIPT.format(version="1.2.3"))
    offer(monkeypatch, tool(download=release(tmp_path / "release", "1.2.3")))
    ensure()
    write_program(programs / "some-tool", SCRIPT.format(version="2.0.0"))
    assert "downloaded" in ensure()[0]
    assert not (store.bin_dir() / "some-tool").resolve().is_relative_to(programs)


def test_download_is_preferred_to_a_build(go_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, tool(download=release(tmp_path / "release", "1.2.3")))
    assert "downloaded" in ensure()[0]
    assert not go_log.exists()


def test_rejected_download_is_not_replaced_by_a_build(
    go_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = release(tmp_path / "release", "1.2.3")
    (tmp_path / "release").write_text("#!/bin/sh\necho something else\n")
    offer(monkeypatch, tool(download=good))
    with pytest.raises(SandboxError, match="it was rejected"):
        ensure()
    assert not go_log.exists()
    assert not (store.bin_dir() / "some-tool").exists()


def test_remaining_tools_are_built_with_one_command(go_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unreachable = Download(url="http://127.0.0.1:1/x", sha256={Downloads().architecture: "0" * 64})
    other = tool(name="other", package="example.org/cmd/other", variables={"example.org/version": "1"})
    offer(monkeypatch, tool(download=unreachable), other)
    lines = ensure("some-tool", "other")
    assert [line.split(":")[0] for line in lines[1:]] == ["some-tool 1.2.3", "other 1.2.3"]
    (build,) = go_log.read_text().splitlines()
    assert "-ldflags=example.org/cmd/other=-s -w -X example.org/version=1" in build


def test_tools_are_built_once(go_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, tool())
    assert ensure()
    assert ensure() == []
    assert len(go_log.read_text().splitlines()) == 1


def test_several_versions_are_stored(go_log: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, tool())
    ensure()
    former = store.bin_dir()
    offer(monkeypatch, tool(version="1.2.5"))
    monkeypatch.setenv("VERSION", "1.2.5")
    ensure()
    assert store.bin_dir() != former
    assert (former / "some-tool").exists()
    assert len(list((cache / "tools" / "some-tool").iterdir())) == 2
    assert len(go_log.read_text().splitlines()) == 2


def test_new_version_of_one_tool_leaves_the_others_alone(go_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steady = tool(name="steady", package="example.org/cmd/steady")
    offer(monkeypatch, tool(), steady)
    ensure("some-tool", "steady")
    offer(monkeypatch, tool(version="1.2.5"), steady)
    monkeypatch.setenv("VERSION", "1.2.5")
    ensure("some-tool", "steady")
    assert (store.bin_dir() / "steady").exists()
    assert "steady" not in go_log.read_text().splitlines()[1]


def test_failed_build_stores_nothing_and_can_be_repeated(
    go_log: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, tool())
    monkeypatch.setenv("BROKEN", "yes")
    with pytest.raises(SandboxError, match="undefined: everything"):
        ensure()
    assert {path.name for path in (cache / "tools").iterdir()} == {".lock"}
    monkeypatch.delenv("BROKEN")
    ensure()
    assert (store.bin_dir() / "some-tool").exists()
    assert go_log.exists()


def test_tool_with_another_version_is_rejected(go_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, tool())
    monkeypatch.setenv("VERSION", "1.2.0")
    with pytest.raises(SandboxError, match=r"expected version 1\.2\.3, but the program prints 1\.2\.0"):
        ensure()
    assert go_log.exists()
    assert not (store.bin_dir() / "some-tool").exists()


def test_concurrent_runs_build_once(go_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, tool())
    monkeypatch.setenv("SLOW", "0.2")
    lines: list[list[str]] = []
    runs = [threading.Thread(target=lambda: lines.append(ensure())) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(go_log.read_text().splitlines()) == 1
    assert ["Another run is installing tools: waiting for it"] in lines


def test_aliases_and_files_of_a_tool_are_installed(go_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = (DataFile(name="stages.yaml", sources=("stages/*.yaml",)),)
    offer(monkeypatch, tool(aliases=("its-server",), module="example.org", files=files))
    ensure()
    assert go_log.exists()
    assert (store.bin_dir() / "stages.yaml").read_text() == "name: a\n---\nname: b\n"
    assert (store.bin_dir() / "its-server").resolve() == (store.bin_dir() / "some-tool").resolve()


def test_missing_tool_of_the_virtual_environment_is_reported_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    offer(monkeypatch, tool(package=None))
    with pytest.raises(SandboxError, match=r"some-tool 1\.2\.3 is missing: run `make up`"):
        ensure()
