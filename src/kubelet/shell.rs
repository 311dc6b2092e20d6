//! Which commands an exec probe calls, judging by its words: a rough parser for shell scripts.
//!
//! It answers one question, whether a "not found" is about the probe's own command. In doubt the answer has
//! to be "no".

use std::iter::Peekable;
use std::mem;
use std::str::Chars;
use std::sync::Arc;

use crate::text::is_masked;

/// A command or script that a probe calls.
#[derive(PartialEq, Eq, Debug)]
pub struct Call {
    /// As written: a name, a path, perhaps with variables or masks in it.
    pub name: String,
    /// Its relation to the calls before it.
    pub link: Link,
}

/// The relation of a call to the calls before it.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Link {
    /// First, or after `|` or `&&`: it cannot compensate for an earlier failure.
    #[default]
    With,
    /// After `;`, `&` or a line break: it runs in any case.
    Next,
    /// After `||` or `else`: it runs because another one failed.
    Instead,
}

impl Call {
    /// Whether a shell that reports `reported` means this call.
    pub fn is(&self, reported: &str) -> bool {
        let opaque = |text: &str| text.contains('$') || is_masked(text);
        if !opaque(&self.name) {
            return self.name == reported;
        }
        // "$APP_HOME/bin/check" is reported with the variable's value.
        match (self.name.rsplit_once('/'), reported.rsplit_once('/')) {
            (Some((_, name)), Some((_, reported))) => !name.is_empty() && !opaque(name) && name == reported,
            _ => false,
        }
    }

    /// Whether its result can tell the app's health: it is neither a standard part of every shell, nor only
    /// there to run something else.
    pub fn tells(&self) -> bool {
        const BUILT_IN: [&str; 28] = [
            ":", ".", "[", "[[", "break", "case", "cd", "continue", "date", "echo", "exit", "export", "false", "for",
            "function", "kill", "local", "logger", "printf", "read", "return", "set", "shift", "sleep", "source",
            "test", "trap", "true",
        ];
        let name = self.name.as_str();
        !BUILT_IN.contains(&name) && !is_shell(name) && !is_wrapper(name)
    }

    /// Whether it only exits the script.
    pub fn ends(&self) -> bool {
        matches!(self.name.as_str(), "exit" | "return")
    }
}

/// The calls of a command in textual order, the command itself first.
pub fn calls(command: &[Arc<str>]) -> Vec<Call> {
    let words = command.iter().map(|word| Token::Word(word.to_string())).collect();
    let mut reader = Reader::default();
    reader.read(words, 0);
    reader.calls
}

/// Whether this is a shell, judging by its name.
pub fn is_shell(command: &str) -> bool {
    let name = file_name(command).trim_start_matches('-');
    matches!(name, "sh" | "bash" | "ash" | "dash" | "zsh" | "ksh" | "mksh" | "busybox")
}

/// Whether this runs the command given by its arguments.
pub fn is_wrapper(command: &str) -> bool {
    matches!(
        file_name(command),
        "env" | "exec" | "timeout" | "nice" | "nohup" | "setsid" | "stdbuf" | "sudo" | "time" | "command"
    )
}

/// Whether this runs the script given by its first argument.
pub fn is_interpreter(command: &str) -> bool {
    is_shell(command)
        || matches!(file_name(command), "python" | "python2" | "python3" | "perl" | "ruby" | "node" | "php")
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Maximum nesting of scripts: no probe needs more.
const MAX_DEPTH: u8 = 4;

#[derive(PartialEq, Eq, Debug)]
enum Token {
    Word(String),
    Operator(Link),
    /// `(`, `$(`, a backtick
    Open,
    /// `)`, a backtick
    Close,
}

/// The meaning of the next word.
#[derive(Copy, Clone, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Command,
    /// The command that a wrapper runs, after its options.
    Wrapped,
    /// The script that an interpreter runs, after its options.
    Script {
        shell: bool,
    },
    /// The text after `-c`.
    Text,
    Argument,
    /// The target of `>`; the place after it is a command's or an argument's.
    Redirect {
        command: bool,
    },
}

#[derive(Default)]
struct Reader {
    calls: Vec<Call>,
    link: Link,
}

impl Reader {
    fn read(&mut self, tokens: Vec<Token>, depth: u8) {
        let mut place = Place::Command;
        let mut outer = Vec::new();
        for token in tokens {
            place = match token {
                Token::Word(word) => self.word(word, place, depth),
                Token::Operator(link) => {
                    self.link = self.link.max(link);
                    Place::Command
                }
                Token::Open => {
                    outer.push(place);
                    Place::Command
                }
                Token::Close => outer.pop().unwrap_or_default(),
            };
        }
    }

    /// Processes a word in its place and returns the meaning of the next one.
    fn word(&mut self, word: String, place: Place, depth: u8) -> Place {
        if is_redirect(&word) && !matches!(place, Place::Text) {
            let command = place == Place::Command;
            return if word.ends_with(['<', '>']) { Place::Redirect { command } } else { place };
        }
        match place {
            Place::Redirect { command: true } => Place::Command,
            Place::Argument | Place::Redirect { command: false } => Place::Argument,
            Place::Command if matches!(word.as_str(), "else" | "elif") => {
                self.link = Link::Instead;
                Place::Command
            }
            Place::Command if word.is_empty() || is_keyword(&word) || is_assignment(&word) => Place::Command,
            Place::Wrapped if is_option(&word) || is_assignment(&word) => Place::Wrapped,
            Place::Command | Place::Wrapped => self.call(word),
            Place::Script { shell } => match script_option(&word, shell) {
                Some(next) => next,
                // A script may be an interpreter itself: `busybox sh -c …`.
                None => self.call(word),
            },
            Place::Text => {
                if depth < MAX_DEPTH {
                    self.read(tokens(&word), depth + 1);
                }
                Place::Argument
            }
        }
    }

    fn call(&mut self, name: String) -> Place {
        let next = if is_interpreter(&name) {
            Place::Script { shell: is_shell(&name) }
        } else if is_wrapper(&name) {
            Place::Wrapped
        } else {
            Place::Argument
        };
        let link = mem::take(&mut self.link);
        self.calls.push(Call { name, link });
        next
    }
}

/// The meaning of what follows an interpreter's option; `None` if the word is not an option.
fn script_option(word: &str, shell: bool) -> Option<Place> {
    let letters = word.strip_prefix(['-', '+'])?;
    if shell && !letters.starts_with('-') && letters.contains('c') {
        return Some(Place::Text);
    }
    // "-c code", "-m module", "-e code"
    if !shell && letters.starts_with(['c', 'e', 'm', 'r']) {
        return Some(Place::Argument);
    }
    Some(Place::Script { shell })
}

fn is_keyword(word: &str) -> bool {
    matches!(word, "if" | "then" | "fi" | "while" | "until" | "do" | "done" | "!" | "{" | "}" | "esac")
}

/// An option, or its argument: `timeout -s KILL 5s`, `nice -n 10`.
fn is_option(word: &str) -> bool {
    word.starts_with(['-', '+'])
        || word.starts_with(|first: char| first.is_ascii_digit())
        || word.bytes().all(|letter| letter.is_ascii_uppercase())
}

fn is_assignment(word: &str) -> bool {
    let in_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    word.split_once('=').is_some_and(|(name, _)| !name.is_empty() && name.chars().all(in_name))
}

fn is_redirect(word: &str) -> bool {
    word.trim_start_matches(|first: char| first.is_ascii_digit() || first == '&').starts_with(['<', '>'])
}

/// Splits a script into words and the operators between them.
fn tokens(script: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        chars: script.chars().peekable(),
        tokens: Vec::new(),
        word: None,
        quotes: vec![false],
        backtick: false,
    };
    while let Some(next) = lexer.chars.next() {
        lexer.step(next);
    }
    lexer.end_word();
    lexer.tokens
}

struct Lexer<'a> {
    chars: Peekable<Chars<'a>>,
    tokens: Vec<Token>,
    word: Option<String>,
    /// Whether double quotes are open, for each enclosing parenthesis.
    quotes: Vec<bool>,
    backtick: bool,
}

impl Lexer<'_> {
    fn step(&mut self, next: char) {
        match next {
            '\\' => {
                let escaped = self.chars.next();
                self.push(escaped.filter(|&letter| letter != '\n'));
            }
            '"' => {
                self.push(None);
                if let Some(quoted) = self.quotes.last_mut() {
                    *quoted = !*quoted;
                }
            }
            '`' => {
                self.backtick = !self.backtick;
                if self.backtick { self.open() } else { self.close() }
            }
            '$' if self.chars.next_if_eq(&'(').is_some() => self.open(),
            _ if self.quotes.last() == Some(&true) => self.push(Some(next)),
            _ => self.unquoted(next),
        }
    }

    fn unquoted(&mut self, next: char) {
        match next {
            '\'' => {
                self.push(None);
                while let Some(quoted) = self.chars.next_if(|&letter| letter != '\'') {
                    self.push(Some(quoted));
                }
                self.chars.next();
            }
            '#' if self.word.is_none() => while self.chars.next_if(|&letter| letter != '\n').is_some() {},
            '(' => self.open(),
            ')' => self.close(),
            '|' if self.chars.next_if_eq(&'|').is_some() => self.operator(Token::Operator(Link::Instead)),
            '|' => self.operator(Token::Operator(Link::With)),
            '&' if self.chars.next_if_eq(&'&').is_some() => self.operator(Token::Operator(Link::With)),
            '&' if self.in_redirect() => self.push(Some(next)),
            '\n' | ';' | '&' => self.operator(Token::Operator(Link::Next)),
            _ if next.is_whitespace() => self.end_word(),
            _ => self.push(Some(next)),
        }
    }

    /// `2>&1`, `&>file`
    fn in_redirect(&mut self) -> bool {
        self.word.as_ref().is_some_and(|word| word.ends_with(['<', '>'])) || self.chars.peek() == Some(&'>')
    }

    /// Appends to the current word, beginning one if necessary.
    fn push(&mut self, letter: Option<char>) {
        self.word.get_or_insert_default().extend(letter);
    }

    fn end_word(&mut self) {
        self.tokens.extend(self.word.take().map(Token::Word));
    }

    fn operator(&mut self, operator: Token) {
        self.end_word();
        self.tokens.push(operator);
    }

    fn open(&mut self) {
        self.operator(Token::Open);
        self.quotes.push(false);
    }

    fn close(&mut self) {
        self.operator(Token::Close);
        if self.quotes.len() > 1 {
            self.quotes.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_command_itself_is_a_call() {
        assert_eq!(names(&["/usr/local/bin/healthcheck", "--fast"]), ["/usr/local/bin/healthcheck"]);
        assert_eq!(names(&[]), [""; 0]);
    }

    #[test]
    fn a_shell_s_script_is_read() {
        for (script, expected) in [
            ("pg_isready -U app -h 127.0.0.1", vec!["pg_isready"]),
            ("curl -sf localhost|jq -e .ok", vec!["curl", "jq"]),
            ("A=1 B=\"x y\" curl 'a;b' \"c && d\" e\\;f # wget", vec!["curl"]),
            ("test \"$(curl -s \"$URL\")\" = ok", vec!["test", "curl"]),
            ("x=\"`redis-cli ping`\"; [ $x = PONG ]", vec!["redis-cli", "["]),
            ("if ! nc -z db 1 2>&1 >/dev/null; then exit 1; fi", vec!["nc", "exit"]),
            ("2>/dev/null curl x &>log", vec!["curl"]),
            ("< /tmp/healthy grep ok", vec!["grep"]),
            ("timeout -s KILL 5s curl x", vec!["timeout", "curl"]),
            ("exec /probe.sh", vec!["exec", "/probe.sh"]),
            ("bash -ec '. /env.sh && check'", vec!["bash", ".", "check"]),
        ] {
            assert_eq!(names(&["sh", "-c", script])[1..], expected, "{script}");
        }
    }

    #[test]
    fn a_script_file_is_a_call() {
        assert_eq!(names(&["/bin/sh", "-e", "/probe.sh", "x"]), ["/bin/sh", "/probe.sh"]);
        assert_eq!(names(&["busybox", "sh", "-c", "curl x"]), ["busybox", "sh", "curl"]);
        assert_eq!(names(&["python3", "-u", "/check.py"]), ["python3", "/check.py"]);
        assert_eq!(names(&["python3", "-c", "import app"]), ["python3"]);
        assert_eq!(names(&["env", "LANG=C", "check"]), ["env", "check"]);
    }

    #[test]
    fn links_are_told_apart() {
        use Link::{Instead, Next, With};

        let links: Vec<_> = calls_of(&["sh", "-c", "a && b || c; d | e & f\nif g; then h; else i; fi"])
            .into_iter()
            .map(|call| (call.name, call.link))
            .skip(1)
            .collect();

        let expected = [
            ("a", With),
            ("b", With),
            ("c", Instead),
            ("d", Next),
            ("e", With),
            ("f", Next),
            ("g", Next),
            ("h", Next),
            ("i", Instead),
        ];
        assert_eq!(links, expected.map(|(name, link)| (name.to_owned(), link)));
    }

    #[test]
    fn a_variable_in_a_path_matches_its_value() {
        let call = |name: &str| Call { name: name.into(), link: Link::With };

        assert!(call("$APP_HOME/bin/check").is("/opt/app/bin/check"));
        assert!(!call("$APP_HOME/bin/check").is("/opt/app/bin/other"));
        assert!(!call("$CHECK").is("anything"));
        assert!(!call("***").is("anything"));
        assert!(!call("/a/check").is("/b/check"));
    }

    proptest! {
        #[test]
        fn any_script_is_read(script in any::<String>(), odd in "([ a-z\n;|&<>()$`'\"\\\\#=-]|sh -c )*") {
            names(&["sh", "-c", &script]);
            names(&["sh", "-c", &odd]);
        }
    }

    fn names(command: &[&str]) -> Vec<String> {
        calls_of(command).into_iter().map(|call| call.name).collect()
    }

    fn calls_of(command: &[&str]) -> Vec<Call> {
        let command: Vec<Arc<str>> = command.iter().map(|&word| word.into()).collect();
        calls(&command)
    }
}
