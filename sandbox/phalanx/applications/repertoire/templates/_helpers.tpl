{{- define "repertoire.selectorLabels" -}}
app.kubernetes.io/name: repertoire
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "repertoire.labels" -}}
{{ include "repertoire.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}
