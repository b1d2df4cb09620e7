{{- define "cadc-tap.selectorLabels" -}}
app.kubernetes.io/name: cadc-tap
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "cadc-tap.labels" -}}
{{ include "cadc-tap.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
