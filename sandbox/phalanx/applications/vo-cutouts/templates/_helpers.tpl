{{- define "vo-cutouts.selectorLabels" -}}
app.kubernetes.io/name: vo-cutouts
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "vo-cutouts.labels" -}}
{{ include "vo-cutouts.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Environment variables of the service and of its workers: their secrets. */}}
{{- define "vo-cutouts.environment" -}}
- name: CUTOUT_ARQ_QUEUE_PASSWORD
  valueFrom:
    secretKeyRef:
      name: vo-cutouts
      key: redis-password
{{- if .Values.config.slackAlerts }}
- name: CUTOUT_SLACK_WEBHOOK
  valueFrom:
    secretKeyRef:
      name: vo-cutouts
      key: slack-webhook
{{- end }}
{{- if .Values.config.sentry.enabled }}
- name: SENTRY_DSN
  valueFrom:
    secretKeyRef:
      name: vo-cutouts
      key: sentry-dsn
{{- end }}
{{- end }}

{{/* What no container of it may do. */}}
{{- define "vo-cutouts.securityContext" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: ["ALL"]
readOnlyRootFilesystem: true
runAsNonRoot: true
{{- end }}
