//! How many of the known shapes of secrets are masked, and how few ordinary words.

use std::collections::BTreeSet;
use std::io::Read as _;

use super::super::{command, message, path};

/// Shapes as listed by public rule sets of secret scanners: what is issued, and how it looks in typical
/// places. `{a36}` stands for 36 letters and digits, `{h}` for hexadecimal digits, `{U}` for capital
/// letters and digits, `{b}` for base64, `{d}` for digits, `{l}` for lower-case letters and digits.
const SHAPES: &[&str] = &[
    "ghp_{a36}",
    "gho_{a36}",
    "ghu_{a36}",
    "ghs_{a36}",
    "ghr_{a36}",
    "github_pat_{a22}_{a59}",
    "remote: https://x-access-token:ghs_{a36}@github.com/o/r.git",
    "glpat-{a20}",
    "glptt-{h40}",
    "glrt-{a20}",
    "gldt-{a20}",
    "GR1348941{a20}",
    "xoxb-{d12}-{d12}-{a24}",
    "xoxp-{d12}-{d12}-{d12}-{h32}",
    "xoxa-2-{d12}-{a24}",
    "xoxe.xoxp-1-{a40}",
    "xapp-1-A{U10}-{d13}-{h64}",
    "https://hooks.slack.com/services/T{U8}/B{U10}/{a24}",
    "post to https://hooks.slack.com/workflows/T{U8}/A{U10}/{d18}/{a24} failed",
    "https://discord.com/api/webhooks/{d18}/{a68}",
    "https://acme.webhook.office.com/webhookb2/{h8}-{h4}@{h8}/IncomingWebhook/{h32}/{h8}",
    "https://hooks.zapier.com/hooks/catch/{d7}/{l7}/",
    "https://api.telegram.org/bot{d9}:AA{a33}/sendMessage",
    "https://chat.googleapis.com/v1/spaces/{a11}/messages?key={a39}&token={a43}",
    "https://events.pagerduty.com/integration/{h32}/enqueue",
    "AKIA{U16}",
    "ASIA{U16}",
    "aws_access_key_id=AKIA{U16}",
    "aws_secret_access_key = {b40}",
    "AWS_SECRET_ACCESS_KEY={b40}",
    "AWS_SESSION_TOKEN={b120}",
    "aws secret {b40}",
    "AIza{a35}",
    "GOCSPX-{a28}",
    "ya29.{a80}",
    "\"private_key_id\": \"{h40}\"",
    "-----BEGIN RSA PRIVATE KEY-----\n{b64}\n{b64}\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\\n{b64}\\n{b64}",
    "-----BEGIN EC PRIVATE KEY-----\n{b64}",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{b64}\n-----END PGP PRIVATE KEY BLOCK-----",
    "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey={b86}==;EndpointSuffix=core.windows.net",
    "Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=root;SharedAccessKey={b43}=",
    "https://x.blob.core.windows.net/c?sv=2022-11-02&sig={b43}%3D",
    "sk_live_{a24}",
    "sk_test_{a24}",
    "rk_live_{a24}",
    "whsec_{a32}",
    "sq0atp-{a22}",
    "sq0csp-{a43}",
    "SG.{a22}.{a43}",
    "key-{h32}",
    "MAILGUN_API_KEY=key-{h32}",
    "xkeysib-{h64}-{a16}",
    "SK{h32}",
    "TWILIO_AUTH_TOKEN={h32}",
    "npm_{a36}",
    "//registry.npmjs.org/:_authToken=npm_{a36}",
    "pypi-AgEIcHlwaS5vcmc{a60}",
    "rubygems_{h48}",
    "dckr_pat_{a27}",
    "{\"auths\":{\"r.io\":{\"auth\":\"{b40}\"}}}",
    "hvs.{a90}",
    "hvb.{a140}",
    "X-Vault-Token: hvs.{a24}",
    "{a14}.atlasv1.{a60}",
    "dop_v1_{h64}",
    "doo_v1_{h64}",
    "HRKU-{h8}-{h4}-{h4}-{h4}-{h12}",
    "heroku_api_key={h8}-{h4}-{h4}-{h4}-{h12}",
    "fo1_{a43}",
    "CLOUDFLARE_API_TOKEN={a40}",
    "cloudflare api key {h37}",
    "sk-{a20}T3BlbkFJ{a20}",
    "sk-proj-{a74}",
    "sk-ant-api03-{a93}AA",
    "hf_{a34}",
    "r8_{a37}",
    "shpat_{h32}",
    "shpss_{h32}",
    "ATATT3xFfGF0{a60}",
    "PMAK-{h24}-{h34}",
    "lin_api_{a40}",
    "figd_{a40}",
    "ntn_{a46}",
    "secret_{a43}",
    "NRAK-{U27}",
    "glsa_{a32}_{h8}",
    "glc_{b60}",
    "dapi{h32}",
    "dp.pt.{a43}",
    "DATADOG_API_KEY={h32}",
    "dd-api-key: {h32}",
    "DD_APP_KEY={h40}",
    "sntrys_{b80}",
    "https://{h32}@o123.ingest.sentry.io/456",
    "SENTRY_DSN=https://{h32}:{h32}@sentry.io/1",
    "dsn=app/{a20}@tcp",
    "pul-{h40}",
    "AGE-SECRET-KEY-1{U58}",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{a20}.{a43}",
    "Authorization: Bearer {a40}",
    "authorization: Basic {b32}",
    "Proxy-Authorization: Basic {b32}",
    "Cookie: session={a32}",
    "Set-Cookie: sid={a32}; Path=/",
    "X-Api-Key: {a32}",
    "api-key: {h32}",
    "apikey {h32}",
    "API key is {a32}",
    "api_key={a32}",
    "?api_key={a32}",
    "the token {h40} has expired",
    "invalid token: {a24}",
    "secret {a32}",
    "secret: '{a32}'",
    "client_secret={a34}",
    "client secret: {a34}",
    "\"clientSecret\": \"{a34}\"",
    "<password>{a12}</password>",
    "<db:Password type=\"x\">{a12}</db:Password>",
    "<apiKey>{h32}</apiKey>",
    "<access_token>{a20}</access_token>",
    "password={a12}",
    "password: {a12}",
    "passwd {a20}",
    "\"password\":\"{a12}\"",
    "PGPASSWORD={a12} psql -h db",
    "--password {a12}",
    "--db-password={a12}",
    "mysql -uroot -p{a12}",
    "redis-cli -a {a16} ping",
    "curl -u admin:{a16} http://localhost/",
    "curl -H 'X-Auth: {a20}' http://localhost",
    "postgres://app:{a16}@db:5432/shop",
    "mysql://app:{a16}@db/shop",
    "mongodb+srv://app:{a16}@cluster0.mongodb.net/shop",
    "redis://:{a16}@cache:6379/0",
    "amqp://app:{a16}@rabbit:5672/",
    "jdbc:postgresql://db/shop?user=app&password={a16}",
    "app:{a16}@tcp(db:3306)/shop",
    "Server=db;Database=shop;User Id=sa;Password={a16};",
    "encryption_key={b44}",
    "SIGNING_KEY={b44}",
    "signing key {b44}",
    "DJANGO_SECRET_KEY={a50}",
    "JWT_SECRET={a40}",
    "license key {U25}",
    "the value {b44} was refused",
];

/// A text of one shape, and its secret parts.
fn filled(shape: &str, seed: u64) -> (String, Vec<String>) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut text, mut secrets, mut rest) = (String::new(), Vec::new(), shape);
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let described = after.split_once('}').and_then(|(of, next)| {
            let letters: &[u8] = match of.chars().next()? {
                'a' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
                'b' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                'h' => b"0123456789abcdef",
                'U' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
                'l' => b"abcdefghijklmnopqrstuvwxyz0123456789",
                'd' => b"0123456789",
                _ => return None,
            };
            Some((letters, of[1..].parse::<usize>().ok()?, next))
        });
        let Some((letters, length, next)) = described else {
            text.push('{');
            rest = after;
            continue;
        };
        let secret: String = (0..length).map(|_| char::from(letters[random(letters.len())])).collect();
        text.push_str(&secret);
        secrets.push(secret);
        rest = next;
    }
    text.push_str(rest);
    (text, secrets)
}

/// Whether nothing useful of a secret is left.
fn is_hidden(masked: &str, secrets: &[String]) -> bool {
    secrets.iter().filter(|secret| secret.len() >= 10).all(|secret| !masked.contains(&secret[..10]))
}

#[test]
fn of_the_shapes_that_are_known_98_in_100_are_masked_in_what_a_probe_prints() {
    let mut missed = BTreeSet::new();
    let (mut all, mut masked) = (0, 0);
    for shape in SHAPES {
        for seed in 0..20 {
            let (text, secrets) = filled(shape, seed);
            let printed = format!("Liveness probe failed: check: {text}\n");
            all += 1;
            let shown = message(&printed);
            if is_hidden(&shown, &secrets) {
                masked += 1;
                assert_eq!(message(&shown), shown, "masking again changes nothing");
            } else {
                missed.insert(format!("{shape}: {shown}"));
            }
        }
    }
    println!("{masked} of {all} are masked");
    assert!(masked * 100 >= all * 98, "{masked} of {all}: {missed:#?}");
}

#[test]
fn tokens_are_masked_in_paths_and_commands_too() {
    for shape in ["ghp_{a36}", "xoxb-{d12}-{d12}-{a24}", "AKIA{U16}", "hvs.{a90}", "glpat-{a20}"] {
        let (text, secrets) = filled(shape, 7);
        let given = format!("/hooks/{text}/health");
        assert!(is_hidden(&path(&given), &secrets), "{shape}: {}", path(&given));
        let words = command(["check", text.as_str()]);
        assert!(is_hidden(&words.join(" "), &secrets), "{shape}: {words:?}");
    }
}

#[test]
fn names_that_begin_like_a_token_are_names() {
    for text in [
        "Back-off restarting failed container app in pod sk-shop-5c4f9d7b8-x2x7q_prod(250cb86a-5af0-496b-bff3-c5b05383b08b)",
        "pulling image registry/sk-shop/key-server-for-all-of-them:v2@sha256:0123456789abcdef0123456789abcdef0123456789abcdef",
        "open /var/lib/app/data/2026-11-29T10-00-00/Segment0001.log: no such file or directory",
        "container 4f5ad8b4b1f2c0e1a9d8b7c6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6 is not running",
    ] {
        assert_eq!(message(text), text);
    }
}

#[test]
fn each_step_of_a_path_is_looked_at() {
    let masked = path("/a/9aF3kd83JKd93kdKDk3k3d/b/K3jd93mXq82LpQz7Wn5Rt/health");
    assert_eq!(masked, "/a/***(46)/health");
}

#[test]
fn a_mask_says_how_long_the_secret_was() {
    assert_eq!(message("bad AKIAIOSFODNN7EXAMPLE now"), "bad ***(20) now");
    assert_eq!(message("<password>hunter2</password>"), "<password>***(7)</password>");
}

#[test]
fn of_what_probes_print_in_recordings_one_in_a_hundred_is_touched_at_most() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/incidents");
    let mut printed = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|ending| ending != "gz") {
            continue;
        }
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(std::fs::File::open(file).unwrap()).read_to_string(&mut text).unwrap();
        for line in text.lines().filter(|line| line.contains("\"events\"")) {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            if let Some(message) = line["object"]["message"].as_str() {
                printed.insert(message.to_owned());
            }
        }
    }
    let touched: Vec<_> = printed.iter().filter(|text| super::super::shapes::mask(text) != text.as_str()).collect();
    println!("{} of {} messages are touched", touched.len(), printed.len());
    assert!(printed.len() > 1000, "{}", printed.len());
    assert!(touched.len() * 100 <= printed.len(), "{} of {}: {touched:#?}", touched.len(), printed.len());
}
