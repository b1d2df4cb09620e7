{{/*
Labels of an object of Argo CD; Argo CD reads its own ConfigMaps by `part-of`.
Takes a dictionary: root (the chart's context), name, component.
*/}}
{{- define "argo-cd.labels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/part-of: argocd
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end }}

{{/* Labels by which Services and controllers find the Pods of a component; takes the same dictionary. */}}
{{- define "argo-cd.selectorLabels" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{- define "argo-cd.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* What no container of Argo CD may do. */}}
{{- define "argo-cd.securityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: ["ALL"]
readOnlyRootFilesystem: true
runAsNonRoot: true
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{/*
An environment variable that takes its value from argocd-cmd-params-cm, if it has one.
Takes a list: variable, key.
*/}}
{{- define "argo-cd.parameter" -}}
- name: {{ index . 0 }}
  valueFrom:
    configMapKeyRef:
      name: argocd-cmd-params-cm
      key: {{ index . 1 }}
      optional: true
{{- end }}
