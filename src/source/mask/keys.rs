//! Names that indicate a secret.

/// Parts of a name that mark its value as a secret, without separators.
const TELLING: [&str; 26] = [
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "authkey",
    "credential",
    "cookie",
    "session",
    "bearer",
    "signature",
    "authorization",
    "authentication",
    "accountkey",
    "clientkey",
    "connectionstring",
    "connstr",
    "encryptionkey",
    "masterkey",
    "sharedkey",
    "sharedaccess",
    "signingkey",
];

/// Endings of a name that mark its value as a secret.
const TELLING_ENDS: [&str; 5] = ["auth", "pass", "pw", "creds", "dsn"];

/// Endings of a name whose value is only the location of a secret.
const PLACES: [&str; 3] = ["file", "path", "dir"];

/// Whether the value of an option, a variable, a parameter or a member of that name is a secret.
pub fn is_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(|letter| !matches!(letter, '-' | '_' | '.'))
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let telling = TELLING.iter().any(|part| name.contains(part)) || TELLING_ENDS.iter().any(|end| name.ends_with(end));
    telling && !PLACES.iter().any(|end| name.ends_with(end))
}

/// Whether what follows a word of running text is a secret if it is long and looks random: `the api key
/// 7f3a…`.
pub fn may_be_random(word: &str) -> bool {
    let ends_so =
        |end: &str| word.get(word.len().saturating_sub(end.len())..).is_some_and(|at| at.eq_ignore_ascii_case(end));
    ends_so("key") || is_secret(word)
}

/// Whether `NAME: value` in running text is a header or a setting with a secret; `auth: failed`
/// is prose.
pub fn is_secret_in_prose(name: &str) -> bool {
    const ALWAYS: [&str; 6] = ["password", "passwd", "passphrase", "authorization", "cookie", "apikey"];
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    ALWAYS.iter().any(|part| name.contains(part))
}

/// Whether a message may contain anything to mask: a cheap check before the expensive one.
pub fn may_hold_secrets(text: &str) -> bool {
    const HINTS: [&str; 8] = ["passw", "passphrase", "token", "secret", "authorization", "cookie", "api", "bearer"];
    if text.contains(['=', '@', '#']) || text.contains("eyJ") {
        return true;
    }
    let mut before = ' ';
    for letter in text.chars() {
        if letter == '-' && !before.is_alphanumeric() {
            return true;
        }
        before = letter;
    }
    let text = text.to_ascii_lowercase();
    HINTS.iter().any(|hint| text.contains(hint))
}
