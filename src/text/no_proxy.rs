//! Which hosts are reached without the proxy from the environment.

use std::net::IpAddr;

use http::Uri;

/// Whether an address is reached without the proxy: it is on this machine, or in a list like `NO_PROXY`.
pub fn is_direct(uri: &Uri, list: &str) -> bool {
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    is_here(host) || is_named(host, port, list)
}

/// Whether the host is this machine: `localhost`, or a loopback address.
fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || address(host).is_some_and(|address| address.is_loopback())
}

/// Whether a list like `NO_PROXY` includes that port of the host: `*`, names with their subdomains,
/// addresses, ranges of addresses, each with or without a port.
fn is_named(host: &str, port: u16, list: &str) -> bool {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        let (entry, only) = entry_and_port(entry);
        let domain = entry.trim_start_matches("*.").trim_start_matches('.');
        let is_within = || {
            let (rest, domain) = (host.to_ascii_lowercase(), domain.to_ascii_lowercase());
            rest.strip_suffix(&domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        let is_host = entry == "*" || address(host).map_or_else(is_within, |address| covers(entry, address));
        is_host && only.is_none_or(|only| only == port)
    })
}

/// `example.com:8443`, `[fd00::1]:443`: the entry, and its port.
fn entry_and_port(entry: &str) -> (&str, Option<u16>) {
    let Some((host, port)) = entry.rsplit_once(':') else { return (entry, None) };
    // More colons without brackets are an address.
    let is_address = host.contains(':') && !host.ends_with(']');
    match port.parse() {
        Ok(port) if !is_address => (host, Some(port)),
        _ => (entry, None),
    }
}

fn address(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

/// Whether an address or a range (`10.0.0.0/8`) includes an address.
fn covers(entry: &str, wanted: IpAddr) -> bool {
    let (start, bits) = entry.split_once('/').map_or((entry, None), |(start, bits)| (start, bits.parse::<u32>().ok()));
    let Some(start) = address(start).filter(|start| start.is_ipv4() == wanted.is_ipv4()) else {
        return false;
    };
    let (width, start, wanted) = match (start, wanted) {
        (IpAddr::V4(start), IpAddr::V4(wanted)) => (32, start.to_bits().into(), wanted.to_bits().into()),
        (IpAddr::V6(start), IpAddr::V6(wanted)) => (128, start.to_bits(), wanted.to_bits()),
        _ => return false,
    };
    let host_bits = width - bits.unwrap_or(width).min(width);
    (start ^ wanted).checked_shr(host_bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_proxy_names_is_reached_directly() {
        for (host, list, wanted) in [
            ("api.example.com", "example.com", true),
            ("api.example.com", ".example.com", true),
            ("api.example.com", "*.example.com", true),
            ("API.example.com", "api.EXAMPLE.com", true),
            ("notexample.com", "example.com", false),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "other, 10.1.2.0/24", true),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("[fd00::1]", "fd00::/8", true),
            ("[fd00::1]", "fd00::1", true),
            ("[fe80::1]", "fd00::/8", false),
            ("anything", "*", true),
            ("anything", "", false),
            ("10.1.2.3", "10.0.0.0/x", false),
        ] {
            assert_eq!(is_named(host, 443, list), wanted, "{host} in {list:?}");
        }
    }

    #[test]
    fn an_entry_with_a_port_names_that_port_alone() {
        for (host, port, list) in [
            ("api.example.com", 8443, "example.com:8443"),
            ("10.1.2.3", 8443, "10.1.2.3:8443"),
            ("[fd00::1]", 8443, "[fd00::1]:8443"),
            ("anything", 8443, "*:8443"),
        ] {
            assert!(is_named(host, port, list), "{host}:{port} in {list:?}");
            assert!(!is_named(host, 443, list), "{host}:443 in {list:?}");
        }
    }

    #[test]
    fn this_machine_is_never_behind_a_proxy() {
        assert!(is_here("127.0.0.1") && is_here("[::1]") && is_here("LocalHost"));
        assert!(!is_here("10.0.0.1") && !is_here("localhost.example.com"));
    }
}
