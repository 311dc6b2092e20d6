{{/* All of the pod's specification but containers and volumes. */}}
{{- define "probehound.scheduling" -}}
serviceAccountName: {{ include "probehound.serviceAccountName" . }}
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- range $key := list "priorityClassName" "runtimeClassName" "dnsPolicy" }}
{{- with index $.Values $key }}
{{ $key }}: {{ . }}
{{- end }}
{{- end }}
{{- range $key := list "imagePullSecrets" "nodeSelector" "tolerations" "affinity" "hostAliases" "dnsConfig" }}
{{- with index $.Values $key }}
{{ $key }}:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- if .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- toYaml .Values.topologySpreadConstraints | nindent 2 }}
{{- else if gt (int .Values.replicas) 1 }}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "probehound.selectorLabels" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "probehound.container" -}}
name: probehound
image: {{ include "probehound.image" . }}
{{- if ne .Values.image.pullPolicy "IfNotPresent" }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}
args:
  - run
  - --log-format={{ .Values.logFormat }}
  {{- with .Values.logLevel }}
  - --log-level={{ . }}
  {{- end }}
  {{- with .Values.extraArgs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  {{- if gt (int .Values.replicas) 1 }}
  - name: PROBEHOUND_LEADER_ELECT
    value: "true"
  {{- end }}
  {{- if .Values.metrics.authentication }}
  - name: PROBEHOUND_METRICS_AUTHENTICATION
    value: "true"
  {{- end }}
  {{- if .Values.page.enabled }}
  - name: PROBEHOUND_PAGE
    value: "true"
  - name: PROBEHOUND_PAGE_AUTHENTICATION
    value: "true"
  - name: PROBEHOUND_PAGE_LISTEN
    value: ":{{ .Values.page.port }}"
  {{- end }}
  # For whoever types a command in the container too: probehound notify --test RECEIVER.
  - name: PROBEHOUND_CONFIG
    value: /etc/probehound/probehound.yaml
  # The holder's name in the Lease.
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  {{- with .Values.extraEnv }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.extraEnvFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  {{- if .Values.page.enabled }}
  - name: page
    containerPort: {{ .Values.page.port }}
  {{- end }}
  - name: http
    containerPort: {{ include "probehound.port" . }}
# Alive is who goes round, whatever the API server does; ready is who has seen the first list.
startupProbe:
  httpGet:
    path: /livez
    port: http
  {{- toYaml .Values.startupProbe | nindent 2 }}
livenessProbe:
  httpGet:
    path: /livez
    port: http
  {{- toYaml .Values.livenessProbe | nindent 2 }}
readinessProbe:
  httpGet:
    path: /readyz
    port: http
  {{- toYaml .Values.readinessProbe | nindent 2 }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.securityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - name: config
    mountPath: /etc/probehound
    readOnly: true
  - name: secrets
    mountPath: /etc/probehound-secrets
    readOnly: true
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
