{{- define "strata.labels" -}}
app.kubernetes.io/name: strata
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end -}}

{{/* A name of an object: the build id may have points. */}}
{{- define "strata.versionName" -}}
{{- printf "%s-%s" (.root.Release.Name | trunc 22) (.version.buildId | replace "." "-") -}}
{{- end -}}

{{/* Of the Job: 63 characters at most, since its pods bear it as a label. */}}
{{- define "strata.promoteName" -}}
{{- printf "%s-promote" (include "strata.versionName" . | trunc 55 | trimSuffix "-") -}}
{{- end -}}

{{- define "strata.env" -}}
- name: TEMPORAL_ADDRESS
  value: {{ .Values.temporal.address | quote }}
- name: TEMPORAL_NAMESPACE
  value: {{ .Values.temporal.namespace | quote }}
{{- with .Values.deployment }}
- name: STRATA_DEPLOYMENT
  value: {{ . | quote }}
{{- end }}
{{- range $name, $value := .Values.env }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end -}}

{{- define "strata.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "strata.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}
