//! Secrets recognisable by their shape, wherever they occur: tokens with a telling prefix, private keys,
//! URLs that grant access to whoever knows them, XML elements with a telling name, and random texts.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

use super::MASK;
use super::keys::{is_secret, may_be_random};

/// Token prefixes, and the minimum number of characters after them. From the issuers' documentation.
const TOKENS: &[(&str, usize)] = &[
    ("AGE-SECRET-KEY-1", 40),
    ("AIza", 30),
    ("AKIA", 12),
    ("ABIA", 12),
    ("ACCA", 12),
    ("ASIA", 12),
    ("ATATT3", 20),
    ("ATCTT3", 20),
    ("CCIPAT_", 20),
    ("CFPAT-", 20),
    ("EAAC", 40),
    ("EZAK", 40),
    ("EZTK", 40),
    ("FLWSECK", 12),
    ("GOCSPX-", 20),
    ("HRKU-", 30),
    ("LTAI", 12),
    ("NRAK-", 20),
    ("NRJS-", 15),
    ("NRII-", 20),
    ("PMAK-", 20),
    ("SG.", 30),
    ("SK_", 20),
    ("akia", 16),
    ("api_org_", 20),
    ("bkua_", 20),
    ("dapi", 30),
    ("dckr_pat_", 20),
    ("dckr_oat_", 20),
    ("doo_v1_", 30),
    ("dop_v1_", 30),
    ("dor_v1_", 30),
    ("dp.pt.", 20),
    ("dp.st.", 20),
    ("dt0c01.", 20),
    ("duffel_", 20),
    ("figd_", 20),
    ("fio-u-", 20),
    ("fm1r_", 20),
    ("fm2_", 20),
    ("fo1_", 20),
    ("ghe_", 20),
    ("gho_", 30),
    ("ghp_", 30),
    ("ghr_", 30),
    ("ghs_", 30),
    ("ghu_", 30),
    ("github_pat_", 30),
    ("glagent-", 20),
    ("glc_", 30),
    ("glcbt-", 18),
    ("gldt-", 18),
    ("glft-", 18),
    ("glimt-", 18),
    ("gloas-", 18),
    ("glpat-", 18),
    ("glptt-", 18),
    ("glrt-", 18),
    ("glsa_", 30),
    ("glsoat-", 18),
    ("hf_", 30),
    ("hvb.", 20),
    ("hvr.", 20),
    ("hvs.", 20),
    ("key-", 30),
    ("lin_api_", 20),
    ("mapi_", 20),
    ("nfp_", 20),
    ("npm_", 30),
    ("ntn_", 30),
    ("nvapi-", 30),
    ("ops_eyJ", 20),
    ("p8e-", 30),
    ("patp_", 20),
    ("pplx-", 30),
    ("pscale_", 30),
    ("pul-", 30),
    ("pypi-", 30),
    ("r8_", 30),
    ("rdme_", 30),
    ("rk_live_", 10),
    ("rk_test_", 10),
    ("rubygems_", 30),
    ("secret_", 30),
    ("sgp_", 30),
    ("shippo_", 30),
    ("shpat_", 20),
    ("shpca_", 20),
    ("shppa_", 20),
    ("shpss_", 20),
    ("sk-", 20),
    ("sk_live_", 10),
    ("sk_test_", 10),
    ("sl.", 60),
    ("sntrys_", 20),
    ("sntryu_", 20),
    ("sq0atp-", 18),
    ("sq0csp-", 18),
    ("sqp_", 30),
    ("squ_", 30),
    ("t3st-", 30),
    ("tfp_", 30),
    ("tk-us-", 30),
    ("vercel_", 20),
    ("whsec_", 20),
    ("xai-", 30),
    ("xapp-", 12),
    ("xkeysib-", 30),
    ("xox", 12),
    ("xsmtpsib-", 30),
    ("ya29.", 20),
];

/// The least length of a token: nearly all words are shorter.
const SHORTEST_TOKEN: usize = 15;

/// Parts of URLs that grant access to whoever knows the rest.
const HOOKS: &[&str] = &[
    "//hooks.slack.com/",
    "discord.com/api/webhooks/",
    "discordapp.com/api/webhooks/",
    ".webhook.office.com/",
    "//outlook.office.com/webhook/",
    "//hooks.zapier.com/hooks/",
    "//api.telegram.org/bot",
    "//maker.ifttt.com/",
    "//events.pagerduty.com/integration/",
    "//open.feishu.cn/open-apis/bot/",
    "//open.larksuite.com/open-apis/bot/",
    "//hooks.glip.com/webhook/",
    "//hc-ping.com/",
    "//chat.googleapis.com/v1/spaces/",
];

/// A part of each of them: a text that has none of these has no hook.
const ENDS_OF_HOSTS: [&str; 3] = [".com/", ".org/", ".cn/"];

/// Masks the parts of a text with such a shape.
pub fn mask(text: &str) -> Cow<'_, str> {
    let parts: [fn(&str) -> Option<String>; 4] = [private_keys, hooks, elements, words];
    parts.into_iter().fold(Cow::Borrowed(text), |text, mask| match mask(&text) {
        Some(masked) => Cow::Owned(masked),
        None => text,
    })
}

/// A mask that states the number of characters it replaces.
fn put(out: &mut String, secret: &str) {
    write!(out, "{MASK}({})", secret.chars().count()).expect("a String takes everything");
}

/// Private keys in PEM, from the first line to the last, or to where the text was cut.
fn private_keys(text: &str) -> Option<String> {
    const BEGINS: &str = "-----BEGIN ";
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(BEGINS) {
        let (before, after) = rest.split_at(at);
        let label = after[BEGINS.len()..].split("-----").next().unwrap_or_default();
        let private = label.contains("PRIVATE KEY");
        let end = after.find("-----END ").and_then(|at| Some(at + 9 + after[at + 9..].find("-----")? + 5));
        let length = if private { end.unwrap_or(after.len()) } else { BEGINS.len() };
        out.push_str(before);
        if private {
            put(&mut out, &after[..length]);
        } else {
            out.push_str(&after[..length]);
        }
        rest = &after[length..];
    }
    (rest.len() < text.len()).then(|| out + rest)
}

fn hooks(text: &str) -> Option<String> {
    if !text.contains('/') || !ENDS_OF_HOSTS.iter().any(|end| text.contains(end)) {
        return None;
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = HOOKS.iter().filter_map(|hook| Some(rest.find(hook)? + hook.len())).min() {
        let (before, after) = rest.split_at(at);
        let is_end = |letter: char| letter.is_whitespace() || matches!(letter, '"' | '\'' | '<' | '>' | '\\' | '`');
        let (secret, after) = after.split_at(after.find(is_end).unwrap_or(after.len()));
        out.push_str(before);
        if !secret.is_empty() && !secret.starts_with(MASK) {
            put(&mut out, secret);
        } else {
            out.push_str(secret);
        }
        rest = after;
    }
    (rest.len() < text.len()).then(|| out + rest)
}

/// The content of `<password>…</password>`.
fn elements(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        rest = after;
        let Some(end) = after.find('>') else { break };
        let tag = after[..end].split_whitespace().next().unwrap_or_default();
        let name = tag.rsplit(':').next().unwrap_or_default();
        let inner = &after[end + 1..];
        let length = inner.find('<').unwrap_or(inner.len());
        if name.starts_with('/') || tag.ends_with('/') || !is_secret(name) || inner[..length].trim().is_empty() {
            continue;
        }
        out.push_str(&after[..=end]);
        if inner.starts_with(MASK) {
            out.push_str(&inner[..length]);
        } else {
            put(&mut out, &inner[..length]);
        }
        rest = &inner[length..];
    }
    (out.len() + rest.len() != text.len() || out.contains(MASK)).then(|| out + rest)
}

/// Tokens with a telling prefix, and random words.
fn words(text: &str) -> Option<String> {
    let mut out = String::new();
    let (mut done, mut end_of_last, mut last) = (0, 0, None);
    for (at, word) in runs(text) {
        let between = &text[end_of_last..at];
        let is_near = between.len() <= 4;
        let secret = match token(word) {
            Some(from) => Some(from..word.len()),
            None if is_near && is_long_and_mixed(word) && last.is_some_and(may_be_random) => Some(0..word.len()),
            None => by_chance(word),
        };
        if let Some(secret) = secret.filter(|_| !between.ends_with(MASK)) {
            out.push_str(&text[done..at + secret.start]);
            put(&mut out, &word[secret.clone()]);
            done = at + secret.end;
        }
        // `the token is …`
        last = if matches!(word, "is" | "was") { last.filter(|_| is_near) } else { Some(word) };
        end_of_last = at + word.len();
    }
    (done > 0).then(|| out + &text[done..])
}

/// The longest runs of characters used in tokens, and where they begin.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    // All of them are one byte long: so bytes are looked at, not letters.
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'~');
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        let begin = at + bytes[at..].iter().position(is_part)?;
        let length = bytes[begin..].iter().position(|byte| !is_part(byte)).unwrap_or(bytes.len() - begin);
        at = begin + length;
        Some((begin, &text[begin..at]))
    })
}

/// Where a token begins in a word.
fn token(word: &str) -> Option<usize> {
    let starts = word.char_indices().take_while(|(at, _)| word.len() - at >= SHORTEST_TOKEN).filter(|(at, letter)| {
        letter.is_ascii_alphanumeric() && !word[..*at].ends_with(|before: char| before.is_ascii_alphanumeric())
    });
    let is_token = |at: &usize| {
        let rest = &word[*at..];
        TOKENS.iter().any(|(begin, least)| rest.strip_prefix(begin).is_some_and(|rest| is_issued(begin, rest, *least)))
    };
    starts.map(|(at, _)| at).find(is_token)
}

/// Whether that many token characters follow, not all of them lower-case letters, and they are not a
/// Kubernetes name: a pod may be called `sk-shop-5c4f9d7b8-x2x7q`.
fn is_issued(begin: &str, rest: &str, least: usize) -> bool {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let rest = &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())];
    let has = |is: fn(&u8) -> bool| rest.as_bytes().iter().any(is);
    let is_name = begin.ends_with('-') && rest.contains('-') && !has(u8::is_ascii_uppercase);
    let is_upper = begin.bytes().any(|byte| byte.is_ascii_uppercase());
    rest.len() >= least && (has(u8::is_ascii_digit) || has(u8::is_ascii_uppercase)) && (is_upper || !is_name)
}

/// Whether a word that follows a telling one is more likely a secret than a name.
fn is_long_and_mixed(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| word.as_bytes().iter().any(is);
    word.len() >= 16
        && has(u8::is_ascii_digit)
        && has(u8::is_ascii_alphabetic)
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'/'))
        && !word.starts_with('/')
}

/// The random part of a word: lower-case and capital letters and digits, alternating more than in any name
/// that a person or Kubernetes gives. In a path it is what is between slashes; web tokens are masked as
/// such.
fn by_chance(word: &str) -> Option<Range<usize>> {
    const SHORTEST: usize = 20;
    if word.len() < SHORTEST {
        return None;
    }
    let is_random = |part: &str| part.len() >= SHORTEST && changes(part) * 100 >= part.len() * 35;
    let (mut begin, mut random) = (0, None::<Range<usize>>);
    for step in word.split(|letter| word.starts_with('/') && letter == '/') {
        let end = begin + step.len();
        if !step.starts_with("eyJ") && step.split('.').any(is_random) {
            random = Some(random.map_or(begin, |known| known.start)..end);
        }
        begin = end + 1;
    }
    random
}

/// How often the class of character changes, if all three classes occur.
fn changes(part: &str) -> usize {
    let kind = |byte: u8| match byte {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let kinds: Vec<usize> = part.bytes().map(kind).collect();
    let enough = |kind: usize| kinds.iter().filter(|other| **other == kind).count() >= 2;
    if !(0..3).all(enough) {
        return 0;
    }
    kinds.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_looked_at_is_no_token_and_no_hook() {
        assert_eq!(TOKENS.iter().map(|(begin, least)| begin.len() + least).min(), Some(SHORTEST_TOKEN));
        assert!(HOOKS.iter().all(|hook| ENDS_OF_HOSTS.iter().any(|end| hook.contains(end))));
    }

    #[test]
    fn what_follows_a_telling_word_is_masked_over_is_and_was() {
        let masked = |text: &str| words(text).is_some();
        assert!(masked("the token 0123456789abcdef"));
        assert!(masked("the token is 0123456789abcdef"));
        assert!(masked("the token was: is 0123456789abcdef"));
        assert!(!masked("the token      is 0123456789abcdef"));
        assert!(!masked("the token is a 0123456789abcdef"));
        assert!(!masked("the name is 0123456789abcdef"));
    }
}
