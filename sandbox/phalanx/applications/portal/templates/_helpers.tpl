{{- define "portal.selectorLabels" -}}
app.kubernetes.io/name: portal
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "portal.labels" -}}
{{ include "portal.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/*
The source of a volume of the portal; empty where that is a claim.
Takes one entry of `config.volumes`.
*/}}
{{- define "portal.volumeSource" -}}
{{- if .hostPath }}
hostPath:
  {{- toYaml .hostPath | nindent 2 }}
{{- else if .nfs }}
nfs:
  {{- toYaml .nfs | nindent 2 }}
{{- else if not .pvc }}
emptyDir: {}
{{- end }}
{{- end }}
