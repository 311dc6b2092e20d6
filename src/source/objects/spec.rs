//! What a container is told to be.

use super::shape::{List, Mark, Present, TextOrNumber, lean};

/// Most entries of `env` that make the container's mark.
const MAX_ENV: usize = 1024;

lean! {
    /// A container.
    pub struct ContainerLite {
        name: String = "name",
        image: String = "image",
        image_pull_policy: String = "imagePullPolicy",
        restart_policy: String = "restartPolicy",
        command: List<String, 256> = "command",
        args: List<String, 256> = "args",
        env: List<EnvLite, MAX_ENV> = "env",
        env_from: List<EnvFromLite, 256> = "envFrom",
        ports: List<PortLite> = "ports",
        resources: ResourcesLite = "resources",
        lifecycle: LifecycleLite = "lifecycle",
        liveness_probe: ProbeLite = "livenessProbe",
        readiness_probe: ProbeLite = "readinessProbe",
        startup_probe: ProbeLite = "startupProbe",
    }

    /// One of `env`.
    pub struct EnvLite {
        name: String = "name",
        /// The mark of the value; the value is not kept.
        value: Mark = "value",
        value_from: EnvValueLite = "valueFrom",
    }

    /// Where a variable's value comes from.
    pub struct EnvValueLite {
        config_map_key_ref: RefLite = "configMapKeyRef",
        secret_key_ref: RefLite = "secretKeyRef",
        field_ref: Mark = "fieldRef",
        resource_field_ref: Mark = "resourceFieldRef",
        file_key_ref: Mark = "fileKeyRef",
    }

    /// One of `envFrom`.
    pub struct EnvFromLite {
        prefix: String = "prefix",
        config_map_ref: RefLite = "configMapRef",
        secret_ref: RefLite = "secretRef",
    }

    /// The name of a `ConfigMap` or Secret, and a key in it.
    pub struct RefLite {
        name: String = "name",
        key: String = "key",
        optional: bool = "optional",
    }

    /// A declared port.
    pub struct PortLite {
        name: String = "name",
        container_port: i64 = "containerPort",
    }

    /// `resources`
    pub struct ResourcesLite {
        limits: LimitsLite = "limits",
    }

    /// `resources.limits`
    pub struct LimitsLite {
        memory: TextOrNumber = "memory",
    }

    /// `lifecycle`
    pub struct LifecycleLite {
        post_start: Present = "postStart",
    }

    /// A probe.
    pub struct ProbeLite {
        http_get: HttpGetLite = "httpGet",
        tcp_socket: TcpLite = "tcpSocket",
        grpc: GrpcLite = "grpc",
        exec: ExecLite = "exec",
        initial_delay_seconds: i64 = "initialDelaySeconds",
        period_seconds: i64 = "periodSeconds",
        timeout_seconds: i64 = "timeoutSeconds",
        failure_threshold: i64 = "failureThreshold",
        termination_grace_period_seconds: i64 = "terminationGracePeriodSeconds",
    }

    /// `httpGet`
    pub struct HttpGetLite {
        scheme: String = "scheme",
        host: String = "host",
        port: TextOrNumber = "port",
        path: String = "path",
        http_headers: List<HeaderLite, 32> = "httpHeaders",
    }

    /// One of `httpHeaders`.
    pub struct HeaderLite {
        name: String = "name",
        /// The mark of the value; the value is not kept.
        value: Mark = "value",
    }

    /// `tcpSocket`
    pub struct TcpLite {
        host: String = "host",
        port: TextOrNumber = "port",
    }

    /// `grpc`
    pub struct GrpcLite {
        port: TextOrNumber = "port",
        service: String = "service",
    }

    /// `exec`
    pub struct ExecLite {
        command: List<String, 256> = "command",
    }
}
