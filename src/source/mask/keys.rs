//! Names that tell of a secret.

/// Parts of a name that make its value a secret, without separators.
const TELLING: [&str; 17] = [
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
];

/// Ends of a name that make its value a secret.
const TELLING_ENDS: [&str; 4] = ["auth", "pass", "pw", "creds"];

/// Ends of a name whose value is only the place of a secret.
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

/// Whether `NAME: value` in running text is a header or a setting with a secret; `auth: failed`
/// is prose.
pub fn is_secret_in_prose(name: &str) -> bool {
    const ALWAYS: [&str; 6] = ["password", "passwd", "passphrase", "authorization", "cookie", "apikey"];
    let name = name.to_ascii_lowercase().replace(['-', '_'], "");
    ALWAYS.iter().any(|part| name.contains(part))
}

/// Whether a message may hold anything to mask: a cheap look before the long one.
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
