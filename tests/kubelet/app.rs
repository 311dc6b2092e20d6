//! What runs in a container: what it answers, how it ends, what it does on SIGTERM.

use std::fmt;
use std::rc::Rc;

use super::manifest::Handler;

/// A probe's question to an app.
#[derive(Copy, Clone, Debug)]
pub struct Ask<'a> {
    /// Milliseconds since the app's start.
    pub uptime: i64,
    /// Milliseconds since the story's start.
    pub now: i64,
    /// How many runs of the container there were before.
    pub run: u32,
    pub handler: &'a Handler,
    /// The port, where the handler has one.
    pub port: u16,
}

/// What comes of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    Status(u16),
    Refused,
    Hang,
    /// That, so many milliseconds later.
    Late(i64, Box<Answer>),
    /// HTTP, to whom speaks TLS.
    PlainHttp,
    Exit(i32, &'static str),
    /// The binary is not there.
    NoBinary,
    Serving,
    NotServing,
    UnknownService,
}

/// How a process ends by itself.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum End {
    Code(i32),
    OutOfMemory,
}

/// What SIGTERM does.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Term {
    /// It exits with a code, so many milliseconds later.
    Exits(i32, i64),
    Ignored,
}

type Special = Rc<dyn Fn(&Ask) -> Option<Answer>>;

/// An HTTP server with one health path, and what is odd about it. Times in milliseconds of uptime.
#[derive(Clone)]
pub struct App {
    path: &'static str,
    port: u16,
    tls: bool,
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
    /// Serves `path` on port 8080 from 300 ms on, for ever.
    pub fn serving(path: &'static str) -> Self {
        Self {
            path,
            port: 8080,
            tls: false,
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

    pub fn listens_after(mut self, uptime: i64) -> Self {
        self.listens = uptime;
        self
    }

    /// 404 on all paths until then.
    pub fn routes_after(mut self, uptime: i64) -> Self {
        self.routes = uptime;
        self
    }

    /// 404 from then on.
    pub fn drops_route_after(mut self, uptime: i64) -> Self {
        self.drops_route = uptime;
        self
    }

    /// 503 from then on.
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

    /// When and how each run ends.
    pub fn ends(mut self, ends: impl Fn(u32) -> Option<(i64, End)> + 'static) -> Self {
        self.ends = Rc::new(ends);
        self
    }

    /// What it answers before all else.
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
        if matches!(ask.handler, Handler::Exec(_)) {
            return Answer::Exit(0, "");
        }
        if ask.port != self.port || ask.uptime < self.listens {
            return Answer::Refused;
        }
        if ask.uptime >= self.hangs {
            return Answer::Hang;
        }
        match ask.handler {
            Handler::Http { path, scheme, .. } => Answer::Late(self.latency, Box::new(self.http(ask, path, scheme))),
            Handler::Grpc { .. } if ask.uptime >= self.sick => Answer::NotServing,
            Handler::Grpc { service, .. } if *service != self.path => Answer::UnknownService,
            _ => Answer::Serving,
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
