//! Commands: the argument of an option may be a secret.

use super::keys::{is_secret, is_secret_in_prose};
use super::quotes::{Quoted, length_of_space, length_of_word};
use super::{MASK, MAX_READ, MAX_WORD, MAX_WORDS, cut, shapes, url};

/// Maximum depth of nested quotes that is followed; anything deeper is masked as a whole.
const MAX_DEPTH: usize = 6;

/// The words of a command, masked and cut.
pub fn command<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut state = Words::default();
    words
        .into_iter()
        .take(MAX_WORDS)
        .map(|word| cut(&state.argument(&shapes::mask(cut(word, MAX_READ))), MAX_WORD).to_owned())
        .collect()
}

/// What the words so far imply for the next one.
#[derive(Debug, Default)]
pub struct Words {
    next: Next,
    tool: Tool,
}

/// The meaning of the next word.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
enum Next {
    /// Nothing special.
    #[default]
    Word,
    /// A secret.
    Secret,
    /// A header: its value is a secret, its name is not.
    Header,
    /// The value of a header, after the name of its scheme if it has one.
    Scheme,
    /// A secret if it looks like one, otherwise prose.
    Perhaps,
    /// A script.
    Script,
}

/// The program whose options are being read, if they have a special meaning.
#[derive(Copy, Clone, PartialEq, Eq, Debug, Default)]
enum Tool {
    /// Any other.
    #[default]
    Other,
    Curl,
    Ldap,
    Postgres,
    Redis,
    Sqlcmd,
}

impl Tool {
    fn parse(word: &str) -> Option<Self> {
        let name = word.rsplit('/').next().unwrap_or(word);
        Some(match name {
            "curl" => Self::Curl,
            "ldapsearch" | "ldapwhoami" | "ldapcompare" => Self::Ldap,
            "pg_isready" | "psql" => Self::Postgres,
            "redis-cli" | "valkey-cli" | "keydb-cli" => Self::Redis,
            "sqlcmd" | "bcp" => Self::Sqlcmd,
            "|" | "||" | "&&" | ";" | "&" => Self::Other,
            _ => return None,
        })
    }

    /// The meaning of what follows the short option of that letter.
    const fn after(self, letter: char) -> Next {
        match (self, letter) {
            // Their port; they take no password from an option.
            (Self::Postgres | Self::Redis, 'p') => Next::Word,
            (_, 'p' | 'u') | (Self::Curl, 'b' | 'U') | (Self::Ldap, 'w') | (Self::Redis, 'a') | (Self::Sqlcmd, 'P') => {
                Next::Secret
            }
            (_, 'H') => Next::Header,
            _ => Next::Word,
        }
    }
}

impl Words {
    /// Masks one argument of a command, which is one word whatever it contains.
    fn argument(&mut self, word: &str) -> String {
        let next = std::mem::take(&mut self.next);
        if next != Next::Word && next != Next::Script {
            return self.follow(next, word);
        }
        if word.starts_with('-') && word.len() > 1 {
            return self.option(word, 0);
        }
        match word.split_once('=') {
            Some((name, _)) if next != Next::Script && is_name(name) && is_secret(name) => format!("{name}={MASK}"),
            _ if word.contains(char::is_whitespace) => text(word),
            _ => self.plain(word),
        }
    }

    /// Masks one word of a text within `depth` quotes.
    pub fn mask(&mut self, word: &str, depth: usize) -> String {
        let next = std::mem::take(&mut self.next);
        if Tool::parse(word) == Some(Tool::Other) {
            self.tool = Tool::Other;
            return word.to_owned();
        }
        if next != Next::Word && next != Next::Script {
            return self.follow(next, word);
        }
        if let Some((at, quoted)) = Quoted::with_space(word) {
            return self.quoted(word, at, &quoted, depth);
        }
        let bare = word.trim_start_matches(PUNCTUATION);
        let (before, bare) = word.split_at(word.len() - bare.len());
        let (bare, after) = bare.split_at(bare.trim_end_matches(PUNCTUATION).len());
        let masked = if bare.starts_with('-') && bare.len() > 1 {
            self.option(bare, depth)
        } else {
            // `pairs` needs the quotes around a value.
            return self.plain(word);
        };
        format!("{before}{masked}{after}")
    }

    /// Masks a quoted word with white space.
    fn quoted(&mut self, word: &str, at: usize, quoted: &Quoted<'_>, depth: usize) -> String {
        let before = &word[..at];
        let rest = &word[at + quoted.length..];
        let name = before.trim_end_matches(['=', ':']).trim_end_matches(['"', '\'', '\\']);
        let name = name.rsplit(|letter: char| !is_of_name(letter)).next().unwrap_or_default();
        let member = before.ends_with(':');
        if (member || before.ends_with('=')) && is_secret(name) {
            // For a shell, what directly follows a quote is still part of the value.
            let rest = if member { self.mask(rest, depth) } else { String::new() };
            return format!("{}{MASK}{rest}", self.plain(before));
        }
        if before.starts_with('-') {
            let masked = self.option(before, depth);
            let next = std::mem::take(&mut self.next);
            if masked.ends_with(MASK) {
                return masked;
            }
            if !matches!(next, Next::Word | Next::Script) {
                return format!("{before}{MASK}");
            }
        }
        let before = self.plain(before);
        let rest = self.mask(rest, depth);
        format!("{before}{}{rest}", in_quotes(quoted, depth))
    }

    /// Masks a word whose meaning the previous one determines.
    fn follow(&mut self, next: Next, word: &str) -> String {
        match next {
            Next::Word | Next::Script => word.to_owned(),
            Next::Perhaps if !looks_random(word) => self.plain(word),
            Next::Scheme if is_scheme(word) => {
                self.next = Next::Secret;
                word.to_owned()
            }
            Next::Secret | Next::Perhaps | Next::Scheme => MASK.to_owned(),
            Next::Header => {
                let bare = word.trim_matches(['"', '\'', '\\']);
                if bare.ends_with(':') {
                    self.next = Next::Scheme;
                    return word.to_owned();
                }
                header(bare)
            }
        }
    }

    /// Masks an option: the attached value, or the next word.
    fn option(&mut self, word: &str, depth: usize) -> String {
        let (flag, value) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word, None),
        };
        let name = flag.trim_start_matches('-');
        let letter = name.chars().next().unwrap_or(' ');
        let is_short = !flag.starts_with("--") && !is_long(name);
        let next = match name {
            "header" | "proxy-header" => Next::Header,
            "user" | "proxy-user" => Next::Secret,
            _ if is_short && is_script_option(name) => Next::Script,
            _ if is_short && name.len() == letter.len_utf8() => self.tool.after(letter),
            _ if is_short && self.tool.after(letter) != Next::Word => return format!("-{letter}{MASK}"),
            _ if is_short && self.is_cluster(name) => self.tool.after(name.chars().last().unwrap_or(' ')),
            _ if is_secret(name) => Next::Secret,
            _ => Next::Word,
        };
        match value {
            None => {
                self.next = next;
                word.to_owned()
            }
            Some("") => word.to_owned(),
            Some(value) => match next {
                Next::Word | Next::Script if value.contains(char::is_whitespace) => {
                    format!("{flag}={}", text_at(value, depth + 1))
                }
                Next::Word | Next::Script => format!("{flag}={}", url::mask_within(value)),
                Next::Header => format!("{flag}={}", header(value)),
                _ => format!("{flag}={MASK}"),
            },
        }
    }

    /// Whether it is a group of several short options of curl: `-sSfu`.
    fn is_cluster(&self, name: &str) -> bool {
        self.tool == Tool::Curl && name.len() <= 6 && name.bytes().all(|byte| byte.is_ascii_alphabetic())
    }

    /// Masks a word that is not an option.
    fn plain(&mut self, word: &str) -> String {
        let bare = word.trim_matches(PUNCTUATION);
        if let Some(tool) = Tool::parse(bare) {
            self.tool = tool;
        }
        if bare.eq_ignore_ascii_case("bearer") {
            self.next = Next::Secret;
        } else if let Some(name) = bare.strip_suffix(':') {
            let quoted = name.ends_with(['"', '\'']);
            let name = name.trim_matches(['"', '\'', '\\', '{']);
            if is_name(name) && (is_secret_in_prose(name) || (quoted && is_secret(name))) {
                self.next = Next::Scheme;
            } else if name.eq_ignore_ascii_case("token") {
                self.next = Next::Perhaps;
            }
        }
        url::mask_within(word)
    }
}

/// Characters around a word that are not part of it.
const PUNCTUATION: [char; 7] = ['"', '\'', '\\', '[', ']', ',', ';'];

/// `Name: value` → `Name: ***`
fn header(text: &str) -> String {
    match text.split_once(':') {
        Some((name, _)) if is_name(name) => format!("{name}: {MASK}"),
        _ => MASK.to_owned(),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_of_name)
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.')
}

fn is_scheme(word: &str) -> bool {
    ["bearer", "basic", "token", "digest", "apikey", "negotiate"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Whether a word is more likely a secret than prose.
fn looks_random(word: &str) -> bool {
    word.len() >= 8 && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// `-c`, `-ec`, `-lc`, `-euxc`: a script follows.
fn is_script_option(name: &str) -> bool {
    name.len() <= 5 && name.ends_with('c') && name.bytes().all(|byte| b"ceilux".contains(&byte))
}

/// Whether the text after one hyphen is a whole option name, as in Go programs (`-port=8080`), and not a
/// letter with a value attached (`-pSECRET`).
fn is_long(name: &str) -> bool {
    const LONG: [&str; 62] = [
        "pass",
        "passphrase",
        "passwd",
        "password",
        "path",
        "paths",
        "peer",
        "peers",
        "period",
        "pid",
        "pidfile",
        "ping",
        "plaintext",
        "plugin",
        "plugins",
        "pod",
        "policy",
        "poll",
        "pool",
        "port",
        "ports",
        "pprof",
        "prefix",
        "pretty",
        "primary",
        "print",
        "priority",
        "probe",
        "process",
        "prod",
        "production",
        "profile",
        "prometheus",
        "proto",
        "protocol",
        "provider",
        "proxy",
        "publish",
        "pull",
        "push",
        "pwd",
        "udp",
        "ui",
        "uid",
        "unhealthy",
        "unit",
        "unix",
        "unsafe",
        "until",
        "update",
        "upload",
        "upstream",
        "uri",
        "url",
        "urls",
        "usage",
        "use",
        "user",
        "username",
        "utc",
        "utf8",
        "uuid",
    ];
    let first = name.split(['-', '_', '.']).next().unwrap_or(name);
    let is_plain = |letter: char| letter.is_ascii_lowercase() || matches!(letter, '-' | '_' | '.');
    LONG.binary_search(&first).is_ok() && (first == name || name.chars().all(is_plain))
}

/// Masks a text.
pub fn text(text: &str) -> String {
    text_at(text, 0)
}

/// Masks a text within `depth` quotes.
fn text_at(text: &str, depth: usize) -> String {
    if depth > MAX_DEPTH {
        return MASK.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut words = Words::default();
    let mut rest = text;
    while !rest.is_empty() {
        let space = length_of_space(rest);
        out.push_str(&rest[..space]);
        rest = &rest[space..];
        let length = length_of_word(rest);
        if length > 0 {
            out.push_str(&words.mask(&rest[..length], depth));
        }
        rest = &rest[length..];
    }
    out
}

/// Masks the text between quotes: a URL as a whole, anything else as text.
fn in_quotes(quoted: &Quoted, depth: usize) -> String {
    let first = quoted.inner.split(char::is_whitespace).next().unwrap_or_default();
    let is_url = first.contains('?') && (first.starts_with('/') || first.contains("://"));
    let inner = if is_url { url::mask_whole(quoted.inner) } else { text_at(quoted.inner, depth + 1) };
    format!("{0}{inner}{0}", quoted.quote)
}
