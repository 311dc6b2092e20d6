//! The address and port that a failed probe connected to, according to its message.

use std::net::SocketAddr;

use super::quoted::{get_error, unquote};

/// The address in `dial tcp A:P: …`, of an HTTP or a TCP probe.
///
/// Only if the prober itself reports it: at the beginning, or directly after `Get "URL": `. `None` for a
/// name that was resolved.
pub fn dialed(output: &str) -> Option<SocketAddr> {
    // Most outputs have none, and parsing a URL is expensive.
    if !output.contains("dial tcp ") {
        return None;
    }
    let words = match get_error(output) {
        Some((_, error)) => error?,
        None => output,
    };
    let (address, _) = words.strip_prefix("dial tcp ")?.split_once(": ")?;
    // With a local address set, Go writes "local->remote".
    let remote = address.rsplit("->").next()?;
    socket_address(remote)
}

/// The port that was probed: from the URL, the dialled address, or the gRPC service's address.
pub fn asked_port(output: &str) -> Option<u16> {
    if let Some((url, _)) = get_error(output) {
        return url_port(&url);
    }
    if let Some(address) = grpc_address(output) {
        return port_of(&address);
    }
    let (address, _) = output.strip_prefix("dial tcp ")?.split_once(": ")?;
    port_of(address)
}

fn grpc_address(output: &str) -> Option<String> {
    let address = output
        .strip_prefix("timeout: failed to connect service ")
        .or_else(|| output.strip_prefix("error: failed to connect service at "))?;
    Some(unquote(address)?.text())
}

/// The port of an absolute URL, else its scheme's default.
fn url_port(url: &str) -> Option<u16> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    let behind_address = host.rsplit(']').next()?;
    match behind_address.split_once(':') {
        Some((_, port)) if !port.is_empty() => number(port),
        _ => match scheme {
            "http" => Some(80),
            "https" => Some(443),
            _ => None,
        },
    }
}

fn port_of(address: &str) -> Option<u16> {
    let (_, port) = address.rsplit_once(':')?;
    number(port)
}

fn number(port: &str) -> Option<u16> {
    port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok())?
}

/// Reads `10.0.0.7:8080`, `[fd00::7]:8080` or `[fe80::7%eth0]:8080`.
fn socket_address(text: &str) -> Option<SocketAddr> {
    if let Some((address, zone)) = text.split_once('%') {
        let (_, port) = zone.split_once(']')?;
        return format!("{address}]{port}").parse().ok();
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_dialled_address_is_found() {
        for (output, address) in [
            ("dial tcp 10.0.0.7:9090: connect: connection refused", "10.0.0.7:9090"),
            ("dial tcp [fd00::7]:9090: i/o timeout", "[fd00::7]:9090"),
            ("dial tcp [fe80::7%eth0]:9090: i/o timeout", "[fe80::7]:9090"),
            ("dial tcp 10.0.0.1:41000->10.0.0.7:9090: i/o timeout", "10.0.0.7:9090"),
            (r#"Get "http://app:80/health": dial tcp 10.0.0.7:80: connect: connection refused"#, "10.0.0.7:80"),
        ] {
            assert_eq!(dialed(output), Some(address.parse().unwrap()), "{output}");
        }
    }

    #[test]
    fn only_the_prober_s_own_words_name_an_address() {
        for output in [
            "",
            "cannot reach the database: dial tcp 10.9.9.9:5432: connect: connection refused",
            r#"Get "http://10.0.0.7:80/dial tcp 1.2.3.4:5: x": EOF"#,
            r#"Get "http://db.internal:80/": dial tcp: lookup db.internal on 10.96.0.10:53: no such host"#,
            "dial tcp 10.0.0.7:9090",
        ] {
            assert_eq!(dialed(output), None, "{output}");
        }
    }

    #[test]
    fn the_asked_port_is_found() {
        for (output, port) in [
            (r#"Get "http://10.0.0.7:8080/health": EOF"#, Some(8080)),
            (r#"Get "https://[fd00::7]:8443/health?at=1:2": EOF"#, Some(8443)),
            (r#"Get "https://[fd00::7]/health": EOF"#, Some(443)),
            (r#"Get "http://user:1@app.example.com/login:99": stopped after 10 redirects"#, Some(80)),
            ("dial tcp 10.0.0.7:9090: connect: connection refused", Some(9090)),
            (r#"timeout: failed to connect service "10.0.0.7:8080" within 1s: context deadline exceeded"#, Some(8080)),
            ("HTTP probe failed with statuscode: 404", None),
            ("the database at 10.9.9.9:5432 is down", None),
            (r#"Get "http://10.0.0.7:+80/": EOF"#, None),
            (r#"Get "http://10.0.0.7:99999/": EOF"#, None),
        ] {
            assert_eq!(asked_port(output), port, "{output}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>(), address in "[\\[\\]:%>0-9a-f.-]*(: )?") {
            for output in [text, format!("dial tcp {address}: x"), format!("Get \"http://{address}\": x")] {
                dialed(&output);
                asked_port(&output);
            }
        }
    }
}
