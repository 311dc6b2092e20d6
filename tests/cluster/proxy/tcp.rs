//! A proxy that passes bytes on, until it stops doing so.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How a proxy treats traffic.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    /// It passes on what it gets.
    Pass,
    /// It passes on and sends nothing, and keeps all connections open, like a load balancer whose peer is
    /// gone. A connection on which data was lost stays silent forever.
    Silent,
    /// It closes all connections, and accepts no new ones.
    Refuse,
}

/// A proxy in front of a port of this machine.
pub struct TcpProxy {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    mode: Mutex<Mode>,
    is_over: AtomicBool,
    /// Both ends of all connections so far.
    ends: Mutex<Vec<TcpStream>>,
}

impl TcpProxy {
    /// A proxy that passes everything on to `target`.
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has free ports");
        let port = listener.local_addr().expect("a bound address").port();
        listener.set_nonblocking(true).expect("a listener can be told not to block");
        let shared =
            Arc::new(Shared { mode: Mutex::new(Mode::Pass), is_over: AtomicBool::new(false), ends: Mutex::default() });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, target, &accepting));
        Self { port, shared }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Switches to that mode.
    pub fn set(&self, mode: Mode) {
        *self.shared.mode.lock().unwrap_or_else(PoisonError::into_inner) = mode;
        if mode == Mode::Refuse {
            self.shared.end_all();
        }
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.shared.end_all();
    }
}

impl Shared {
    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end_all(&self) {
        for end in self.ends.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // The other side may have closed it already.
            drop(end.shutdown(Shutdown::Both));
        }
    }

    fn remember(&self, end: &TcpStream) {
        let end = end.try_clone().expect("a socket can be cloned");
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).push(end);
    }
}

fn accept(listener: &TcpListener, target: u16, shared: &Arc<Shared>) {
    const PAUSE: Duration = Duration::from_millis(10);
    while !shared.is_over.load(Ordering::Relaxed) {
        match listener.accept() {
            Ok((client, _)) if shared.mode() != Mode::Refuse => connect(client, target, shared),
            Ok((client, _)) => drop(client),
            Err(_) => thread::sleep(PAUSE),
        }
    }
}

fn connect(client: TcpStream, target: u16, shared: &Arc<Shared>) {
    client.set_nonblocking(false).expect("a socket can be told to block");
    // Nothing listens there: the client sees the end of its connection.
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else {
        return;
    };
    for end in [&client, &server] {
        end.set_nodelay(true).expect("a socket can be told not to delay");
        shared.remember(end);
    }
    let other =
        (server.try_clone().expect("a socket can be cloned"), client.try_clone().expect("a socket can be cloned"));
    for (from, to) in [(client, server), other] {
        let shared = Arc::clone(shared);
        thread::spawn(move || copy(from, to, &shared));
    }
}

/// Copies data until either end is closed or data had to be dropped.
fn copy(mut from: TcpStream, mut to: TcpStream, shared: &Shared) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length) = from.read(&mut buffer) {
        if shared.mode() == Mode::Silent {
            // The ends stay open: they are remembered.
            return;
        }
        if length == 0 || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    // The other side may have closed it already.
    drop(to.shutdown(Shutdown::Both));
}
