//! An app that is well, and answers at one path alone.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::cli::error::Error;
use crate::config::Listen;

/// The line by which its path is asked for.
const SERVED: &str = "GET /health ";
/// Limit for a request, in bytes; a kubelet's has some 150.
const REQUEST: u64 = 8192;
/// Timeout for a client that is silent, since one is served after the other.
const PATIENCE: Duration = Duration::from_secs(1);

/// Serves until the process ends.
pub fn serve(listen: Listen) -> Result<(), Error> {
    let failed = |cause: io::Error| Error::Start(format!("cannot listen at {listen}: {cause}"));
    let listener = TcpListener::bind(&*listen.addresses()).map_err(failed)?;
    for client in listener.incoming() {
        // A client that goes away is none of the app's business.
        let _ = client.and_then(answer);
    }
    Ok(())
}

fn answer(mut client: TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut request = BufReader::new((&client).take(REQUEST)).lines();
    let first = request.next().transpose()?.unwrap_or_default();
    // What is not read would have the kernel reset the connection before the answer arrives.
    for line in request {
        if line?.is_empty() {
            break;
        }
    }
    let status = if first.starts_with(SERVED) { "200 OK" } else { "404 Not Found" };
    write!(client, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn it_answers_at_its_path_and_nowhere_else() {
        for (path, code) in [("/health", "200"), ("/v2/health", "404"), ("/healthy", "404"), ("/", "404")] {
            let said = asked(&format!("GET {path} HTTP/1.1\r\nHost: app\r\n\r\n"));
            assert!(said.starts_with(&format!("HTTP/1.1 {code} ")), "{path}: {said}");
        }
    }

    #[test]
    fn a_request_that_never_ends_does_not_hold_it_up() {
        for endless in [format!("GET /{}", "x".repeat(20_000)), "GET /".to_owned()] {
            // It may be answered or not: what counts is that this returns.
            let said = asked(&endless);
            assert!(!said.contains("200"), "{said}");
        }
    }

    fn asked(request: &str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut client = TcpStream::connect(listener.local_addr().expect("an address")).expect("it listens");
        let served = thread::spawn(move || answer(listener.accept().expect("a client").0));
        client.write_all(request.as_bytes()).expect("it fits the kernel's buffer");
        let mut said = Vec::new();
        // A reset after the limit leaves what came before.
        let _ = client.read_to_end(&mut said);
        // An error is its right; a panic is not.
        let _ = served.join().expect("it does not panic");
        String::from_utf8_lossy(&said).into_owned()
    }
}
