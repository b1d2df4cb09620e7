{{/*
The namespace of an application.
Takes a dictionary: root (the chart's context), name (of the application and of its namespace).
*/}}
{{- define "environment.namespace" -}}
{{- $labels := dict }}
{{- with .root.Values.defaultComputeClass }}
{{- $_ := set $labels "cloud.google.com/default-compute-class" . }}
{{- end }}
{{- $labels := merge $labels (index .root.Values.namespaceLabels .name | default dict) -}}
apiVersion: v1
kind: Namespace
metadata:
  name: {{ .name | quote }}
  {{- with $labels }}
  labels:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/*
The Argo CD Application for the chart of the same name.
Takes a dictionary: root (the chart's context), name, project, and parameters, a list of values of the
environment for the chart: `global.<parameter>`, or a complete parameter name for a subchart.
*/}}
{{- define "environment.application" -}}
{{- $values := .root.Values }}
{{- $known := dict
  "global.baseUrl" (printf "https://%s" $values.fqdn)
  "global.butlerServerRepositories" ($values.butlerServerRepositories | toJson | b64enc)
  "global.environmentName" $values.name
  "global.host" $values.fqdn
  "global.repertoireUrl" (printf "https://%s/repertoire" $values.fqdn)
  "global.vaultSecretsPath" $values.vaultPathPrefix
  "global.vaultSecretsPathPrefix" $values.vaultPathPrefix
  "vault-secrets-operator.vault.address" $values.vaultUrl
-}}
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {{ .name | quote }}
  namespace: "argocd"
  finalizers:
    - "resources-finalizer.argocd.argoproj.io"
spec:
  destination:
    namespace: {{ .name | quote }}
    server: "https://kubernetes.default.svc"
  project: {{ .project | quote }}
  source:
    path: "applications/{{ .name }}"
    repoURL: {{ $values.repoUrl | quote }}
    targetRevision: {{ index $values.revisions .name | default $values.targetRevision | quote }}
    helm:
      parameters:
        {{- range .parameters }}
        {{- $name := ternary . (printf "global.%s" .) (contains "." .) }}
        - name: {{ $name | quote }}
          value: {{ get $known $name | required (printf "no such parameter: %s" $name) | quote }}
        {{- end }}
      valueFiles:
        - "values.yaml"
        - "values-{{ $values.name }}.yaml"
{{- end }}

{{/*
An Argo CD project that may deploy anything, except into the namespaces given.
Takes a dictionary: name, excluded (a list of namespaces).
*/}}
{{- define "environment.project" -}}
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata:
  name: {{ .name | quote }}
  namespace: "argocd"
spec:
  clusterResourceWhitelist:
    - group: "*"
      kind: "*"
  destinations:
    {{- range .excluded }}
    - namespace: "!{{ . }}"
      server: "*"
    {{- end }}
    - namespace: "*"
      server: "*"
  namespaceResourceWhitelist:
    - group: "*"
      kind: "*"
  sourceRepos:
    - "*"
{{- end }}
