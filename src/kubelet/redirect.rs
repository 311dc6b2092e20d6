//! Whether a failed HTTP probe was redirected: its message then contains the last redirect's URL.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Failure, HttpGet, Port, Scheme};
use crate::text::is_masked;

/// Where an HTTP probe was redirected to, and what happened there.
///
/// The kubelet follows redirects that stay on the pod's address. That it was redirected proves that
/// the app listens on the probe's port and answers on its path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// The scheme of the target.
    pub scheme: Scheme,
    /// The port of the target; the scheme's default if the redirect has none.
    pub port: u16,
    /// The path of the target, with query; masked and cut like the message.
    pub path: Arc<str>,
    /// Whether the target's host certainly differs from that of the probe.
    pub elsewhere: bool,
    /// What happened there.
    pub failure: Failure,
}

impl Redirect {
    pub(super) fn with(self, failure: Failure) -> Self {
        Self { failure, ..self }
    }
}

/// The target in the URL, if it certainly differs from the probe's own request.
///
/// In doubt it is the same: a named port that cannot be resolved, masked values, a path that is a URL
/// itself, another spelling of the same path.
pub fn target(get: &HttpGet, ports: &[(Option<Arc<str>>, i32)], url: &str) -> Option<Redirect> {
    let url = Url::parse(url)?;
    let port = match &get.port {
        Port::Number(number) => Some(*number),
        Port::Name(name) => {
            ports.iter().find(|(declared, _)| declared.as_ref() == Some(name)).map(|(_, number)| *number)
        }
    };
    let elsewhere = is_elsewhere(get.host.as_deref(), url.host);
    let other_port = port.is_some_and(|port| port != i32::from(url.port));
    let redirected = url.scheme != get.scheme || other_port || elsewhere || is_another_path(&get.path, url.path);
    redirected.then(|| Redirect {
        scheme: url.scheme,
        port: url.port,
        path: Arc::from(if url.path.is_empty() { "/" } else { url.path }),
        elsewhere,
        failure: Failure::Unrecognised,
    })
}

/// An absolute HTTP URL.
struct Url<'a> {
    scheme: Scheme,
    host: &'a str,
    port: u16,
    /// Path, query and fragment.
    path: &'a str,
}

impl<'a> Url<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (scheme, default, rest) = match text.split_once("://")? {
            ("http", rest) => (Scheme::Http, 80, rest),
            ("https", rest) => (Scheme::Https, 443, rest),
            _ => return None,
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = authority.rsplit('@').next()?;
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => bracketed.split_once(']')?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let port = match port.strip_prefix(':') {
            Some("") => default,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
            None if port.is_empty() => default,
            _ => return None,
        };
        (!host.is_empty()).then_some(Self { scheme, host, port, path })
    }
}

/// Whether a host certainly differs from that of the probe; without a host of its own the probe uses the
/// pod's address, which is not known here.
fn is_elsewhere(wanted: Option<&str>, host: &str) -> bool {
    let address = |host: &str| host.split('%').next().and_then(|host| host.parse::<IpAddr>().ok());
    match (wanted, address(host)) {
        (None, Some(address)) => address.is_loopback(),
        (None, None) => true,
        (Some(wanted), _) if is_masked(wanted) || is_masked(host) => false,
        (Some(wanted), found) => {
            let wanted = wanted.trim_start_matches('[').trim_end_matches(']');
            match (address(wanted), found) {
                (None, None) => !wanted.eq_ignore_ascii_case(host),
                // An address in another notation is still the same.
                (wanted, found) => wanted != found,
            }
        }
    }
}

/// Whether a URL's path certainly differs from the probe's.
fn is_another_path(wanted: &str, path: &str) -> bool {
    let first = wanted.split('/').next().unwrap_or_default();
    let is_url = first.contains(':') || wanted.starts_with("//");
    let (plain, asked) = (without_query(path), without_query(wanted));
    if is_url || is_masked(asked) || is_masked(plain) {
        return false;
    }
    let plain = decoded(&path_of(plain));
    // An older kubelet treats the question mark as part of the path.
    plain != decoded(&path_of(asked)) && plain != decoded(&path_of(wanted))
}

fn without_query(path: &str) -> &str {
    path.split(['?', '#']).next().unwrap_or_default()
}

/// With the leading slash that Go adds.
fn path_of(path: &str) -> Cow<'_, str> {
    if path.starts_with('/') { Cow::Borrowed(path) } else { Cow::Owned(format!("/{path}")) }
}

/// Without percent escapes, which Go writes in its own way.
fn decoded(path: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.as_bytes();
    while let [first, rest @ ..] = left {
        let hex = |digit: u8| char::from(digit).to_digit(16);
        left = match rest {
            [high, low, after @ ..] if *first == b'%' && hex(*high).is_some() && hex(*low).is_some() => {
                let value = hex(*high).unwrap_or(0) * 16 + hex(*low).unwrap_or(0);
                bytes.push(u8::try_from(value).unwrap_or(b'%'));
                after
            }
            _ => {
                bytes.push(*first);
                rest
            }
        };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn another_scheme_port_or_path_is_a_redirect() {
        for (url, scheme, port, path) in [
            ("https://10.0.0.7:8080/health", Scheme::Https, 8080, "/health"),
            ("https://10.0.0.7/health", Scheme::Https, 443, "/health"),
            ("http://10.0.0.7:9090/health", Scheme::Http, 9090, "/health"),
            ("http://10.0.0.7/health", Scheme::Http, 80, "/health"),
            ("http://10.0.0.7:8080/login?next=/health", Scheme::Http, 8080, "/login?next=/health"),
            ("http://[fd00::7]:8080", Scheme::Http, 8080, "/"),
            ("https://[fd00::7]/health", Scheme::Https, 443, "/health"),
        ] {
            let found = target(&get("/health"), &[], url).map(|it| (it.scheme, it.port, it.path, it.elsewhere));
            assert_eq!(found, Some((scheme, port, Arc::from(path), false)), "{url}");
        }
    }

    #[test]
    fn a_named_port_is_that_of_the_container() {
        let mut named = get("/health");
        named.port = Port::Name("web".into());
        let declared = [(Some(Arc::from("web")), 3000), (None, 8080)];

        assert_eq!(target(&named, &declared, "http://10.0.0.7:3000/health"), None);
        assert!(target(&named, &declared, "http://10.0.0.7:8080/health").is_some());
        assert_eq!(target(&named, &[], "http://10.0.0.7:8080/health"), None);
    }

    #[test]
    fn the_same_in_another_spelling_is_no_redirect() {
        for (path, url) in [
            ("/health", "http://10.0.0.7:8080/health"),
            ("/health", "http://10.0.0.7:8080/health?"),
            ("/", "http://10.0.0.7:8080"),
            ("health", "http://10.0.0.7:8080/health"),
            ("/a b/%7euser", "http://10.0.0.7:8080/a%20b/~user"),
            ("/health?deep=***", "http://10.0.0.7:8080/health?deep=***"),
            ("/health?deep", "http://10.0.0.7:8080/health%3Fdeep"),
            ("/health#x", "http://10.0.0.7:8080/health"),
            ("/health\n", "http://10.0.0.7:8080/health%0A"),
            ("http://other:9/health", "http://10.0.0.7:8080/health"),
            ("//other/health", "http://10.0.0.7:8080/health"),
            ("/é", "http://10.0.0.7:8080/%C3%A9"),
        ] {
            assert_eq!(target(&get(path), &[], url), None, "{path} {url}");
        }
    }

    #[test]
    fn a_probe_s_own_host_is_no_redirect() {
        for (host, url) in [
            ("127.0.0.1", "http://127.0.0.1:8080/health"),
            ("Web.shop.svc", "http://web.shop.svc:8080/health"),
            ("fd00::0007", "http://[fd00::7]:8080/health"),
            ("[::1]", "http://[::1]:8080/health"),
            ("fe80::1%eth0", "http://[fe80::1%25eth0]:8080/health"),
            ("***", "http://web:8080/health"),
        ] {
            let wanted = HttpGet { host: Some(host.into()), ..get("/health") };
            assert_eq!(target(&wanted, &[], url), None, "{host} {url}");
        }
    }

    #[test]
    fn a_name_or_the_loopback_address_is_another_host_than_the_pod() {
        for url in ["http://web.example.com:8080/health", "http://127.0.0.1:8080/health", "http://[::1]:8080/health"] {
            assert!(target(&get("/health"), &[], url).is_some_and(|it| it.elsewhere), "{url}");
        }
        let wanted = HttpGet { host: Some("web".into()), ..get("/health") };
        assert!(target(&wanted, &[], "http://10.0.0.7:8080/health").is_some_and(|it| it.elsewhere));
    }

    #[test]
    fn what_is_no_http_url_says_nothing() {
        for url in ["", "/health", "ftp://10.0.0.7/", "http://", "http:8080/health", "http://a:b/", "http://[::1/x"] {
            assert_eq!(target(&get("/health"), &[], url), None, "{url}");
        }
    }

    proptest! {
        #[test]
        fn what_the_kubelet_asks_is_never_taken_for_a_redirect(path in "(/[a-zA-Z0-9._~-]{0,8}){1,4}", port in 1..65536) {
            let wanted = HttpGet { port: Port::Number(port), ..get(&path) };
            prop_assert_eq!(target(&wanted, &[], &format!("http://10.0.0.7:{port}{path}")), None);
        }

        #[test]
        fn any_url_is_read(url in any::<String>(), rest in "[\\[\\]:@%/?#*0-9a-f.-]*", path in any::<String>()) {
            target(&get(&path), &[], &url);
            target(&get(&path), &[], &format!("https://{rest}"));
        }
    }

    fn get(path: &str) -> HttpGet {
        HttpGet {
            scheme: Scheme::Http,
            host: None,
            port: Port::Number(8080),
            path: path.into(),
            headers: Box::default(),
            headers_mark: 0,
        }
    }
}
