"""A Phalanx repository in Git, which Helm renders."""

import functools
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.unit.phalanx.repository import SETTINGS, static, write

APPLICATIONS = ("argocd", "mobu", "tap", "vault-secrets-operator")

CHART = {"apiVersion": "v2", "name": "chart", "version": "1.0.0"}

_APPLICATION = """\
{{{{- if .Values.applications.{name} -}}}}
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: {name}}}
spec:
  destination: {{namespace: {name}}}
  source:
    path: applications/{name}
    repoURL: {{{{ .Values.repoUrl | quote }}}}
    targetRevision: {{{{ {revision} | quote }}}}
    helm: {{valueFiles: [values.yaml, values-test.yaml]}}
{{{{- end -}}}}
"""

_POD = """\
apiVersion: ricoberger.de/v1alpha1
kind: VaultSecret
metadata: {name: all}
spec: {path: secret/phalanx/test/tap}
---
apiVersion: v1
kind: Pod
metadata: {name: pod}
spec: {containers: [{env: [{valueFrom: {secretKeyRef: {name: all, key: {{ .Values.key }}}}}]}]}
"""


def application(name: str, *, revisions: bool = True) -> str:
    """Return the template of an Application, with or without support of the environment's ``revisions``."""
    own = f'or (index .Values "revisions" "{name}") .Values.targetRevision' if revisions else ".Values.targetRevision"
    template = _APPLICATION.format(name=name, revision=own)
    return template.replace(f".Values.applications.{name}", f'index .Values.applications "{name}"')


def create(root: Path, **settings: Any) -> Path:
    """Create a repository with the applications of `APPLICATIONS`, of which tap reads a key that it does not declare.

    Args:
        root: Directory to create.
        settings: Settings of the environment test.
    """
    return init(
        root,
        {
            "environments/Chart.yaml": CHART,
            "environments/values.yaml": SETTINGS
            | {"name": "", "applications": dict.fromkeys(APPLICATIONS, True), "revisions": {}},
            "environments/values-test.yaml": {"name": "test", **settings},
            **{f"environments/templates/{name}.yaml": application(name) for name in APPLICATIONS},
            **{f"applications/{name}/Chart.yaml": CHART for name in APPLICATIONS},
            **{f"applications/{name}/values.yaml": {} for name in APPLICATIONS},
            **{f"applications/{name}/values-test.yaml": {} for name in APPLICATIONS},
            "applications/tap/values.yaml": {"key": "main"},
            "applications/tap/secrets.yaml": {"declared-on-main": static()},
            "applications/tap/templates/pod.yaml": _POD,
        },
    )


def init(root: Path, files: Mapping[str, Any]) -> Path:
    """Create a repository with files in the first commit of its branch main."""
    return Path(shutil.copytree(_made(json.dumps(files)), root))


_MADE = tempfile.TemporaryDirectory()
"""Repositories to copy, which takes less time than processes of Git."""


@functools.cache
def _made(files: str) -> Path:
    root = Path(tempfile.mkdtemp(dir=_MADE.name))
    git(root, "init", "--quiet", "--initial-branch=main", "--template=")
    commit(root, json.loads(files))
    return root


def commit(root: Path, files: Mapping[str, Any], message: str = "change") -> str:
    """Commit files, as for `tests.unit.phalanx.repository.write`; return the hash of the commit."""
    write(root, files)
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--allow-empty", f"--message={message}")
    return git(root, "rev-parse", "HEAD")


def git(root: Path, *arguments: str) -> str:
    """Run Git in a repository, without the user's settings; return its output."""
    identity = {
        f"GIT_{who}_{what}": value
        for who in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "Test"), ("EMAIL", "test@example.org"))
    }
    done = subprocess.run(
        # Without the maintenance, which is a process after each commit.
        ("git", "-C", str(root), "-c", "maintenance.auto=false", *arguments),
        env=os.environ | identity | {"GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
