//! The process in a container: its answers, how it terminates, its reaction to SIGTERM.

use std::fmt;
use std::rc::Rc;

use super::manifest::Handler;

/// A probe's request to an app.
#[derive(Copy, Clone, Debug)]
pub struct Ask<'a> {
    /// Milliseconds since the app's start.
    pub uptime: i64,
    /// Milliseconds since the story's start.
    pub now: i64,
    /// Number of earlier runs of the container.
    pub run: u32,
    /// The node and the pod, by number.
    pub node: usize,
    pub pod: usize,
    pub handler: &'a Handler,
    /// The port, if the handler has one.
    pub port: u16,
}

/// The result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    Status(u16),
    Refused,
    Hang,
    /// The same answer, that many milliseconds later.
    Late(i64, Box<Answer>),
    /// Plain HTTP, to a TLS client.
    PlainHttp,
    /// HTTP/2 frames, to an HTTP/1 client.
    Frames,
    /// Accepted, then reset.
    Reset,
    /// Redirected to another port of its own, on which nothing listens.
    SentTo(u16),
    Exit(i32, &'static str),
    /// The binary does not exist.
    NoBinary,
    Serving,
    NotServing,
    UnknownService,
}

/// How a process terminates by itself.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum End {
    Code(i32),
    OutOfMemory,
}

/// The effect of SIGTERM.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Term {
    /// It exits with a code, that many milliseconds later.
    Exits(i32, i64),
    Ignored,
}

/// The protocol of a server.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Speaks {
    Anything,
    Http,
    Grpc,
}

type Special = Rc<dyn Fn(&Ask) -> Option<Answer>>;

/// An HTTP server with one health path, and its peculiarities. Times in milliseconds of uptime.
#[derive(Clone)]
pub struct App {
    path: &'static str,
    port: u16,
    tls: bool,
    speaks: Speaks,
    /// Another port, and when it opens.
    also: Option<(u16, i64)>,
    listens: i64,
    routes: i64,
    drops_route: i64,
    sick: i64,
    hangs: i64,
    latency: i64,
    ends: Rc<dyn Fn(u32) -> Option<(i64, End)>>,
    special: Special,
    pub term: Term,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("path", &self.path).field("port", &self.port).finish_non_exhaustive()
    }
}

impl App {
    /// Serves `path` on port 8080 from 300 ms on, forever.
    pub fn serving(path: &'static str) -> Self {
        Self {
            path,
            port: 8080,
            tls: false,
            speaks: Speaks::Anything,
            also: None,
            listens: 300,
            routes: 0,
            drops_route: i64::MAX,
            sick: i64::MAX,
            hangs: i64::MAX,
            latency: 2,
            ends: Rc::new(|_| None),
            special: Rc::new(|_| None),
            term: Term::Exits(0, 20),
        }
    }

    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    pub fn speaks(mut self, protocol: Speaks) -> Self {
        self.speaks = protocol;
        self
    }

    /// Serves the same on another port, from that uptime on.
    pub fn also(mut self, port: u16, uptime: i64) -> Self {
        self.also = Some((port, uptime));
        self
    }

    pub fn listens_after(mut self, uptime: i64) -> Self {
        self.listens = uptime;
        self
    }

    /// 404 on all paths until that uptime.
    pub fn routes_after(mut self, uptime: i64) -> Self {
        self.routes = uptime;
        self
    }

    /// 404 from that uptime on.
    pub fn drops_route_after(mut self, uptime: i64) -> Self {
        self.drops_route = uptime;
        self
    }

    /// 503 from that uptime on.
    pub fn sick_after(mut self, uptime: i64) -> Self {
        self.sick = uptime;
        self
    }

    pub fn hangs_after(mut self, uptime: i64) -> Self {
        self.hangs = uptime;
        self
    }

    pub fn latency(mut self, millis: i64) -> Self {
        self.latency = millis;
        self
    }

    pub fn ends_after(self, uptime: i64, end: End) -> Self {
        self.ends(move |_| Some((uptime, end)))
    }

    /// When and how each run terminates.
    pub fn ends(mut self, ends: impl Fn(u32) -> Option<(i64, End)> + 'static) -> Self {
        self.ends = Rc::new(ends);
        self
    }

    /// Answers that take precedence over all others.
    pub fn special(mut self, special: impl Fn(&Ask) -> Option<Answer> + 'static) -> Self {
        self.special = Rc::new(special);
        self
    }

    pub fn term(mut self, term: Term) -> Self {
        self.term = term;
        self
    }

    pub fn end_of(&self, run: u32) -> Option<(i64, End)> {
        (self.ends)(run)
    }

    pub fn answer(&self, ask: &Ask) -> Answer {
        if let Some(answer) = (self.special)(ask) {
            return answer;
        }
        let opens = match self.also {
            Some((port, opens)) if port == ask.port => Some(opens),
            _ => (ask.port == self.port || matches!(ask.handler, Handler::Exec(_))).then_some(self.listens),
        };
        let open = opens.is_some_and(|opens| ask.uptime >= opens);
        match ask.handler {
            Handler::Exec(_) if ask.uptime >= self.hangs => Answer::Hang,
            Handler::Exec(_) if ask.uptime >= self.sick => Answer::Exit(1, "unhealthy: queue is stuck\n"),
            Handler::Exec(_) if !open => Answer::Exit(1, "not accepting connections yet\n"),
            Handler::Exec(_) => Answer::Late(self.latency, Box::new(Answer::Exit(0, ""))),
            _ if !open => Answer::Refused,
            _ if ask.uptime >= self.hangs => Answer::Hang,
            Handler::Http { .. } if self.speaks == Speaks::Grpc => Answer::Frames,
            Handler::Http { path, scheme, .. } => Answer::Late(self.latency, Box::new(self.http(ask, path, scheme))),
            // It finds no HTTP/2 there, and retries until its timeout.
            Handler::Grpc { .. } if self.speaks == Speaks::Http => Answer::Refused,
            Handler::Grpc { .. } if ask.uptime >= self.sick => Answer::NotServing,
            Handler::Grpc { service, .. } if *service != self.path => Answer::UnknownService,
            Handler::Grpc { .. } => Answer::Late(self.latency, Box::new(Answer::Serving)),
            Handler::Tcp(_) => Answer::Serving,
        }
    }

    fn http(&self, ask: &Ask, path: &str, scheme: &str) -> Answer {
        match (scheme, self.tls) {
            ("HTTPS", false) => return Answer::PlainHttp,
            ("HTTP", true) => return Answer::Status(400),
            _ => {}
        }
        let routed = (self.routes..self.drops_route).contains(&ask.uptime);
        match path == self.path && routed {
            false => Answer::Status(404),
            true if ask.uptime >= self.sick => Answer::Status(503),
            true => Answer::Status(200),
        }
    }
}
