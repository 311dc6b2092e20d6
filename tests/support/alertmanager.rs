//! An Alertmanager of our own on loopback: accepts the valid alerts of a request, and answers 400 if one of
//! them is invalid, like the real one (api/v2/api.go).

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::http::request_body;

/// The server; its thread ends with the process.
pub struct Alertmanager {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Vec<Value>>>>,
}

impl Alertmanager {
    /// Listens on a free loopback port; an alert of the workload `bad` is invalid.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let address = listener.local_addr().expect("it listens");
        let requests = Arc::<Mutex<Vec<Vec<Value>>>>::default();
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that disconnects is not the server's problem.
                let _ = answer(stream, &seen);
            }
        });
        Self { address, requests }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Vec<Value>> {
        self.requests.lock().expect("no panic holds it").clone()
    }
}

fn is_bad(alert: &Value) -> bool {
    alert["labels"]["workload"] == "bad"
}

fn answer(stream: TcpStream, seen: &Mutex<Vec<Vec<Value>>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let body = request_body(&mut reader)?;
    let alerts: Vec<Value> = serde_json::from_slice(&body).unwrap_or_default();
    let status = if alerts.is_empty() || alerts.iter().any(is_bad) { "400 Bad Request" } else { "200 OK" };
    seen.lock().expect("no panic holds it").push(alerts);
    reader
        .get_mut()
        .write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes())
}
