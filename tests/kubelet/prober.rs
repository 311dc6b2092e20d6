//! A prober worker's state, and the results of probes (`pkg/kubelet/prober`).

use super::app::Answer;
use super::manifest::{Container, Handler, Kind, Port, Probe};

/// One worker of a container's probe; it lives as long as the pod and the kubelet.
#[derive(Clone, Debug)]
pub struct Worker {
    pub kind: Kind,
    /// The last run that it probed.
    pub run: Option<u32>,
    pub on_hold: bool,
    last: Option<bool>,
    streak: u32,
}

impl Worker {
    pub fn new(kind: Kind) -> Self {
        Self { kind, run: None, on_hold: false, last: None, streak: 0 }
    }

    /// Starts to probe a run; the counts for the previous one carry over.
    pub fn meet(&mut self, run: u32) {
        if self.run.replace(run) != Some(run) {
            self.on_hold = false;
        }
    }

    /// Counts a result; `Some` when it has reached its threshold.
    pub fn count(&mut self, passed: bool, failures: u32) -> Option<bool> {
        self.streak = if self.last == Some(passed) { self.streak + 1 } else { 1 };
        self.last = Some(passed);
        if !passed && self.streak < failures {
            return None;
        }
        if !passed && self.kind != Kind::Readiness || self.kind == Kind::Startup {
            self.on_hold = true;
            self.streak = 0;
        }
        Some(passed)
    }
}

/// The result of a probe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    Passed,
    Failed(String),
    Errored(String),
}

/// The duration of a probe, and its result. `answer` is the app's, if it runs.
pub fn probe(
    container: &Container,
    probe: &Probe,
    ip: &str,
    answer: impl FnOnce(&Handler, u16) -> Answer,
) -> (i64, Outcome) {
    let named = match &probe.handler {
        Handler::Http { port, .. } | Handler::Tcp(port) => Some(port.clone()),
        Handler::Grpc { port, .. } => Some(Port::Number(*port)),
        Handler::Exec(_) => None,
    };
    let port = match named.as_ref().map(|port| (port, container.port(port))) {
        Some((Port::Name(name), None)) => {
            return (1, Outcome::Errored(format!("strconv.Atoi: parsing \"{name}\": invalid syntax")));
        }
        found => found.and_then(|(_, port)| port).unwrap_or_default(),
    };
    let (mut took, mut answer) = (1, answer(&probe.handler, port));
    while let Answer::Late(by, inner) = answer {
        took += by;
        answer = *inner;
    }
    if answer == Answer::Hang || took > probe.timeout * 1000 {
        return (probe.timeout * 1000, Outcome::Failed(timed_out(probe, ip, port)));
    }
    (took, outcome(&probe.handler, ip, port, answer))
}

fn url(path: &str, scheme: &str, ip: &str, port: u16) -> String {
    format!("{}://{ip}:{port}{path}", scheme.to_lowercase())
}

fn timed_out(probe: &Probe, ip: &str, port: u16) -> String {
    match &probe.handler {
        Handler::Http { path, scheme, .. } => format!(
            "Get \"{}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
            url(path, scheme, ip, port)
        ),
        Handler::Tcp(_) => format!("dial tcp {ip}:{port}: i/o timeout"),
        Handler::Grpc { .. } => format!("timeout: health rpc did not complete within {}s", probe.timeout),
        Handler::Exec(command) => {
            format!("command timed out: \"{}\" timed out after {}s", command.join(" "), probe.timeout)
        }
    }
}

fn outcome(handler: &Handler, ip: &str, port: u16, answer: Answer) -> Outcome {
    let refused = format!("dial tcp {ip}:{port}: connect: connection refused");
    let get = |path: &str, scheme: &str, what: &str| format!("Get \"{}\": {what}", url(path, scheme, ip, port));
    Outcome::Failed(match (handler, answer) {
        (Handler::Http { .. }, Answer::Status(200..=399)) => return Outcome::Passed,
        (Handler::Http { .. }, Answer::Status(code)) => format!("HTTP probe failed with statuscode: {code}"),
        (Handler::Http { path, scheme, .. }, Answer::Refused) => get(path, scheme, &refused),
        (Handler::Http { path, scheme, .. }, Answer::PlainHttp) => {
            get(path, scheme, "http: server gave HTTP response to HTTPS client")
        }
        (Handler::Http { path, scheme, .. }, Answer::Frames) => {
            let frames = "net/http: HTTP/1.x transport connection broken: malformed HTTP response \
                          \"\\x00\\x00\\x06\\x04\\x00\\x00\\x00\\x00\\x00\\x00\\x05\\x00\\x00@\\x00\"";
            get(path, scheme, frames)
        }
        (Handler::Http { path, scheme, .. }, Answer::Reset) => {
            let reset = format!("read tcp 10.244.0.1:41022->{ip}:{port}: read: connection reset by peer");
            get(path, scheme, &reset)
        }
        (Handler::Http { path, .. }, Answer::SentTo(to)) => {
            format!("Get \"{}\": dial tcp {ip}:{to}: connect: connection refused", url(path, "HTTPS", ip, to))
        }
        (Handler::Grpc { .. }, Answer::Refused) => {
            format!("timeout: failed to connect service \"{ip}:{port}\" within 1s: context deadline exceeded")
        }
        (Handler::Grpc { .. }, Answer::NotServing) => "service unhealthy (responded with \"NOT_SERVING\")".to_owned(),
        (Handler::Grpc { .. }, Answer::UnknownService) => {
            "error: health rpc probe failed: rpc error: code = NotFound desc = unknown service".to_owned()
        }
        (Handler::Exec(_), Answer::Exit(code, output)) if code != 0 => output.to_owned(),
        // The process that ran it is gone.
        (Handler::Exec(_), Answer::Refused) => {
            let gone = "rpc error: code = NotFound desc = failed to exec in container: task not found: not found";
            return Outcome::Errored(gone.to_owned());
        }
        (Handler::Exec(command), Answer::NoBinary) => {
            let binary = command[0];
            return Outcome::Errored(format!(
                "rpc error: code = Unknown desc = failed to exec in container: failed to start exec: OCI runtime exec \
                 failed: exec failed: unable to start container process: exec: \"{binary}\": stat {binary}: no such \
                 file or directory: unknown"
            ));
        }
        (_, Answer::Refused) => refused,
        _ => return Outcome::Passed,
    })
}
