//! The parser of event messages and the classes of failures, with any text for any handler.
//!
//! The first byte picks reason and handler; the rest is the message.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use probehound::kubelet::{
    EventMessage, Failure, Handler, HttpGet, Killing, Port, Scheme, asked_port, dialed, parse, start_error,
};

const REASONS: [&str; 9] = [
    "Unhealthy",
    "ProbeWarning",
    "Killing",
    "Preempting",
    "FailedPostStartHook",
    "Failed",
    "BackOff",
    "Scheduled",
    "FailedMount",
];

const AGGREGATED: &str = "(combined from similar events): ";

fuzz_target!(|data: &[u8]| {
    let Some((&choice, rest)) = data.split_first() else { return };
    let message = String::from_utf8_lossy(rest);
    let reason = REASONS[usize::from(choice % 9)];
    let said = parse(reason, &message);
    check(said.as_ref(), &message);
    assert_eq!(said, parse(reason, &message), "the same words mean the same");
    if !message.starts_with(AGGREGATED) {
        let similar = parse(reason, &format!("{AGGREGATED}{message}"));
        assert_eq!(similar, said.map(|(said, _)| (said, true)), "aggregated, the same words mean the same");
    }
    let ports = [(message.split_whitespace().last().map(Arc::from), i32::from(choice) * 257), (None, 8080)];
    for handler in handlers(choice, &message) {
        let _ = (Failure::of_failed(&handler, &ports, &message), Failure::of_errored(&handler, &message));
    }
    let _ = (asked_port(&message), dialed(&message), start_error(&message));
});

fn check(said: Option<&(EventMessage, bool)>, message: &str) {
    match said {
        Some((
            EventMessage::ProbeFailed { output, .. }
            | EventMessage::ProbeErrored { output, .. }
            | EventMessage::StartFailed { output }
            | EventMessage::SandboxFailed { output, .. },
            _,
        )) => {
            assert!(output.len() <= 1024 && message.contains(&**output));
        }
        Some((EventMessage::Killing(Killing::ProbeFailed { container, .. } | Killing::Stopping { container }), _)) => {
            assert!((1..=63).contains(&container.len()) && message.contains(&**container));
        }
        _ => {}
    }
}

fn handlers(choice: u8, message: &str) -> [Handler; 4] {
    let word: Arc<str> = Arc::from(message.split_whitespace().last().unwrap_or("cat"));
    let port = if choice & 8 == 0 { Port::Number(i32::from(choice) * 257) } else { Port::Name(Arc::clone(&word)) };
    let http = HttpGet {
        scheme: if choice & 16 == 0 { Scheme::Http } else { Scheme::Https },
        host: (choice & 32 != 0).then(|| Arc::clone(&word)),
        port: port.clone(),
        path: Arc::clone(&word),
        headers: Box::default(),
        headers_mark: 0,
    };
    let command = ["sh", "-c", message].map(Arc::from);
    let command = if choice & 64 == 0 { Box::from(command) } else { Box::from([word.clone(), Arc::from("-q")]) };
    [
        Handler::Http(http),
        Handler::Tcp { host: None, port: port.clone() },
        Handler::Grpc { port, service: word },
        Handler::Exec(command),
    ]
}
