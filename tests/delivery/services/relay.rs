//! A mail relay of our own on loopback, as strict as the RFCs allow: 5321 (SMTP), 3207 (STARTTLS), 4954 (AUTH),
//! 5322 (the format of a message).

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use probehound::delivery::smtp::Encryption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// The name and the password that it accepts.
pub const LOGIN: (&str, &str) = ("probehound", "hunter2 password");

/// How it behaves; by default like a relay that is well.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    pub encryption: Encryption,
    /// The mechanisms that it offers to log in by, which then has to be done.
    pub mechanisms: &'static str,
    /// What it does instead where a command begins so. `CONNECT` is the connection, `MESSAGE` the end of one.
    pub instead: Vec<(&'static str, Turn)>,
}

/// What it does instead.
#[derive(Copy, Clone, Debug)]
pub enum Turn {
    /// Answers so.
    Answer(&'static str),
    /// Answers as it would, and so in the same packet.
    Add(&'static str),
    /// Does what it would, and disconnects before it answers.
    Break,
    /// Does what it would, and never answers.
    Hang,
}

/// A mail that it took.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    /// The message, with lines that end in CRLF.
    pub message: String,
    pub encrypted: bool,
    pub logged_in: bool,
}

/// The relay; its thread ends with the tests.
pub struct Relay {
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    taken: Mutex<Vec<Taken>>,
    commands: Mutex<Vec<String>>,
    wrong: Mutex<Vec<String>>,
}

impl Relay {
    pub fn start(rules: Rules) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = listener.local_addr().expect("it listens").port();
        let shared = Arc::<Shared>::default();
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut session = Session::new(rules.clone(), Arc::clone(&own));
                // A client that disconnects is not the relay's problem.
                std::thread::spawn(move || session.converse(stream));
            }
        });
        Self { port, shared }
    }

    /// The mails that it took. What a client did wrong fails here.
    pub fn taken(&self) -> Vec<Taken> {
        let wrong = self.shared.wrong.lock().expect("no panic holds it").clone();
        assert_eq!(wrong, Vec::<String>::new());
        self.shared.taken.lock().expect("no panic holds it").clone()
    }

    /// The commands that it was given, without those of the encrypted part if `plain`.
    pub fn commands(&self) -> Vec<String> {
        self.shared.commands.lock().expect("no panic holds it").clone()
    }
}

/// The folder with the certificates.
pub fn certificates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/delivery/tls")
}

trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

struct Session {
    rules: Rules,
    shared: Arc<Shared>,
    stream: Box<dyn Stream>,
    greeted: bool,
    mail: Taken,
}

/// What follows an answer.
#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    Encrypt,
    ReadMessage,
    End,
}

impl Session {
    fn new(rules: Rules, shared: Arc<Shared>) -> Self {
        Self { rules, shared, stream: Box::new(io::empty()), greeted: false, mail: Taken::default() }
    }

    fn converse(&mut self, tcp: TcpStream) -> io::Result<()> {
        let plain = tcp.try_clone()?;
        self.stream = Box::new(tcp);
        if self.rules.encryption == Encryption::Tls {
            self.encrypt(plain.try_clone()?)?;
        }
        self.answer("CONNECT", "220 relay.example ESMTP")?;
        loop {
            let line = self.line(512)?;
            self.shared.commands.lock().expect("no panic holds it").push(line.clone());
            let (reply, then) = self.obey(&line);
            self.answer(&line, &reply)?;
            match then {
                Then::GoOn => {}
                Then::Encrypt => self.encrypt(plain.try_clone()?)?,
                Then::ReadMessage => {
                    self.mail.message = self.message()?;
                    let taken = std::mem::take(&mut self.mail);
                    self.mail = Taken { encrypted: taken.encrypted, logged_in: taken.logged_in, ..Taken::default() };
                    if !self.instead("MESSAGE").is_some_and(|turn| matches!(turn, Turn::Answer(_))) {
                        self.shared.taken.lock().expect("no panic holds it").push(taken);
                    }
                    self.answer("MESSAGE", "250 2.0.0 queued")?;
                }
                Then::End => return Ok(()),
            }
        }
    }

    fn instead(&self, command: &str) -> Option<Turn> {
        self.rules.instead.iter().find(|(begins, _)| command.starts_with(begins)).map(|(_, turn)| *turn)
    }

    fn answer(&mut self, command: &str, reply: &str) -> io::Result<()> {
        let text = match self.instead(command) {
            None => format!("{reply}\r\n"),
            Some(Turn::Answer(other)) => format!("{other}\r\n"),
            Some(Turn::Add(more)) => format!("{reply}\r\n{more}\r\n"),
            Some(Turn::Break) => return Err(io::ErrorKind::ConnectionAborted.into()),
            Some(Turn::Hang) => {
                std::thread::sleep(Duration::from_mins(10));
                return Ok(());
            }
        };
        self.stream.write_all(text.as_bytes())?;
        self.stream.flush()
    }

    /// The answer to a command, unless the rules say otherwise.
    fn obey(&mut self, line: &str) -> (String, Then) {
        let refused = matches!(self.instead(line), Some(Turn::Answer(reply)) if !reply.starts_with(['2', '3']));
        let upper = line.to_ascii_uppercase();
        let command = upper.split([' ', ':']).next().unwrap_or_default();
        let reply = |text: &str| (text.to_owned(), Then::GoOn);
        match command {
            "QUIT" => ("221 2.0.0 bye".to_owned(), Then::End),
            "EHLO" if line.len() > 5 => {
                self.greeted = true;
                (self.extensions(), Then::GoOn)
            }
            _ if !self.greeted => reply("503 5.5.1 EHLO first"),
            "STARTTLS" if self.offers_starttls() && !refused => ("220 2.0.0 go ahead".to_owned(), Then::Encrypt),
            _ if self.offers_starttls() => reply("530 5.7.0 Must issue a STARTTLS command first"),
            "AUTH" => self.log_in(line),
            _ if !self.rules.mechanisms.is_empty() && !self.mail.logged_in => {
                reply("530 5.7.0 Authentication required")
            }
            "MAIL" if self.mail.from.is_empty() => {
                if !refused {
                    self.mail.from = address(line, "MAIL FROM:");
                }
                reply("250 2.1.0 ok")
            }
            "RCPT" if !self.mail.from.is_empty() => {
                if !refused {
                    self.mail.to.push(address(line, "RCPT TO:"));
                }
                reply("250 2.1.5 ok")
            }
            "DATA" if !self.mail.to.is_empty() && refused => reply("250 not reached"),
            "DATA" if !self.mail.to.is_empty() => ("354 end with a dot".to_owned(), Then::ReadMessage),
            _ => reply("503 5.5.1 bad sequence of commands"),
        }
    }

    fn offers_starttls(&self) -> bool {
        self.rules.encryption == Encryption::StartTls && !self.mail.encrypted
    }

    fn extensions(&self) -> String {
        let mut lines = vec!["relay.example".to_owned()];
        if self.offers_starttls() {
            lines.push("STARTTLS".to_owned());
        } else if !self.rules.mechanisms.is_empty() {
            lines.push(format!("AUTH {}", self.rules.mechanisms));
        }
        lines.push("PIPELINING".to_owned());
        let last = lines.len() - 1;
        let line = |(at, line): (usize, &String)| format!("250{}{line}", if at == last { ' ' } else { '-' });
        lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\r\n")
    }

    fn log_in(&mut self, line: &str) -> (String, Then) {
        let (user, password) = LOGIN;
        let given = match line.split(' ').collect::<Vec<_>>().as_slice() {
            ["AUTH", "PLAIN", response] => decoded(response) == format!("\0{user}\0{password}"),
            ["AUTH", "LOGIN"] => self.asked("VXNlcm5hbWU6") == user && self.asked("UGFzc3dvcmQ6") == password,
            _ => return ("504 5.5.4 unknown mechanism".to_owned(), Then::GoOn),
        };
        self.mail.logged_in = given;
        let reply = if given { "235 2.7.0 welcome" } else { "535 5.7.8 bad credentials" };
        (reply.to_owned(), Then::GoOn)
    }

    /// The response to a challenge.
    fn asked(&mut self, challenge: &str) -> String {
        let asked = self.stream.write_all(format!("334 {challenge}\r\n").as_bytes()).and_then(|()| self.stream.flush());
        asked.and_then(|()| self.line(512)).map(|line| decoded(&line)).unwrap_or_default()
    }

    fn encrypt(&mut self, tcp: TcpStream) -> io::Result<()> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let folder = certificates();
        let chain: Vec<CertificateDer> =
            CertificateDer::pem_file_iter(folder.join("server.pem")).expect("a file").flatten().collect();
        let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).expect("a key");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("there are some")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("they belong together");
        let mut connection = ServerConnection::new(Arc::new(config)).expect("a configuration");
        let mut tcp = tcp;
        connection.complete_io(&mut tcp)?;
        self.stream = Box::new(StreamOwned::new(connection, tcp));
        self.mail.encrypted = true;
        self.greeted = false;
        Ok(())
    }

    /// A line without its end, which is CRLF and nothing else.
    fn line(&mut self, max: usize) -> io::Result<String> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            let after_return = bytes.last() == Some(&b'\r');
            if (byte[0] == b'\n') != after_return {
                self.wrong(format!("a line ends in no CRLF: {bytes:?}"));
                return Err(io::ErrorKind::InvalidData.into());
            }
            bytes.push(byte[0]);
        }
        bytes.truncate(bytes.len() - 2);
        match String::from_utf8(bytes) {
            Ok(line) if line.is_ascii() && line.len() + 2 <= max && !line.contains('\0') => Ok(line),
            other => {
                self.wrong(format!("a line that is no line: {other:?}"));
                Err(io::ErrorKind::InvalidData.into())
            }
        }
    }

    /// A message, with the dots that were put before dots taken away.
    fn message(&mut self) -> io::Result<String> {
        let mut message = String::new();
        loop {
            let line = self.line(1000)?;
            if line == "." {
                return Ok(message);
            }
            message.push_str(line.strip_prefix('.').unwrap_or(&line));
            message.push_str("\r\n");
        }
    }

    fn wrong(&self, what: String) {
        self.shared.wrong.lock().expect("no panic holds it").push(what);
    }
}

fn address(line: &str, command: &str) -> String {
    let path =
        line.strip_prefix(command).and_then(|rest| rest.strip_prefix('<')).and_then(|rest| rest.strip_suffix('>'));
    path.unwrap_or_else(|| panic!("no path: {line}")).to_owned()
}

fn decoded(text: &str) -> String {
    STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}
