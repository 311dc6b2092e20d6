mod shapes;

use proptest::prelude::*;

use super::*;

fn words(command_line: &[&str]) -> Vec<String> {
    command(command_line.iter().copied())
}

#[test]
fn the_values_of_query_parameters_are_masked_in_paths() {
    for (given, wanted) in [
        ("/health", "/health"),
        ("health", "health"),
        ("/health?full", "/health?full"),
        ("/health?token=abc", "/health?token=***"),
        ("/health?a=1&b=2&c", "/health?a=***&b=***&c"),
        ("/health?token=a b=c&x=", "/health?token=***&x="),
        ("/x#access_token=abc", "/x#access_token=***"),
        ("//u:p@h/x", "***@h/x"),
        ("http://h:80/@me", "http://h:80/@me"),
        ("http://u:p@h:80/x", "http://***@h:80/x"),
        ("/v2/eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.abc-_d/x", "/v2/***/x"),
    ] {
        assert_eq!(path(given), wanted);
    }
}

#[test]
fn what_diagnosis_needs_stays_in_messages() {
    for text in [
        r#"Liveness probe failed: Get "http://10.0.0.7:8080/health": dial tcp 10.0.0.7:8080: connect: connection refused"#,
        "Liveness probe failed: HTTP probe failed with statuscode: 404",
        "Liveness probe failed: cat: can't open '/tmp/healthy': No such file or directory",
        r#"Liveness probe failed: Get "http://h.invalid:80/x": dial tcp: lookup h.invalid on 10.96.0.10:53: no such host"#,
        "Liveness probe failed: error: health rpc probe failed: rpc error: code = NotFound desc = unknown service",
        r#"Liveness probe failed: timeout: failed to connect service "10.0.0.7:8080" within 1s: context deadline exceeded"#,
        r#"Liveness probe failed: service unhealthy (responded with "NOT_SERVING")"#,
        r#"Liveness probe errored: strconv.Atoi: parsing "metrics": invalid syntax"#,
        r#"Error: secret "db-credentials" not found"#,
        "Error: couldn't find key password in Secret default/db",
        r#"command timed out: "pg_isready -U app -h 127.0.0.1" timed out after 1s"#,
        r#"rpc error: code = Unknown desc = failed to exec in container: exec: "/bin/grpc_health_probe": stat /bin/grpc_health_probe: no such file or directory: unknown"#,
        "Container auth failed liveness probe, will be restarted",
        "Back-off restarting failed container auth in pod auth-service-645c95c467-f7cjt_auth-prod(250cb86a-5af0-496b-bff3-c5b05383b08b)",
        r#"Back-off pulling image "10.96.0.1:5000/shop/web:v2@sha256:0123456789abcdef""#,
        "failed to fetch anonymous token: unexpected status from GET request: 401 Unauthorized",
        r#"net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00@\x00""#,
        "sh: pg_isready: not found",
    ] {
        assert_eq!(message(text), text);
    }
}

#[test]
fn secrets_are_masked_in_messages() {
    for (given, wanted) in [
        (r#"Get "http://u:p@h/x?token=abc": EOF"#, r#"Get "http://***@h/x?token=***": EOF"#),
        (
            r#"Get "http://h/x?token=a b&c=d": stopped after 10 redirects"#,
            r#"Get "http://h/x?token=***&c=***": stopped after 10 redirects"#,
        ),
        (
            r#"Get "/login?next=%2F&session=s3": stopped after 10 redirects"#,
            r#"Get "/login?next=***&session=***": stopped after 10 redirects"#,
        ),
        (
            r#"Response body: <a href="http://sso/login?ticket=abc&amp;x=1">Found</a>."#,
            r#"Response body: <a href="http://sso/login?ticket=***&amp;x=***">Found</a>."#,
        ),
        (
            r#"command timed out: "mysqladmin ping -h 127.0.0.1 -psecret" timed out after 1s"#,
            r#"command timed out: "mysqladmin ping -h 127.0.0.1 -p***" timed out after 1s"#,
        ),
        (
            r#"command "sh -c curl -H \"Authorization: Bearer abc\" http://u:p@h/x" timed out"#,
            r#"command "sh -c curl -H Authorization: *** http://***@h/x" timed out"#,
        ),
        (
            r#"command timed out: "curl -H X-Token: abc http://h/x" timed out after 1s"#,
            r#"command timed out: "curl -H X-Token: *** http://h/x" timed out after 1s"#,
        ),
        (
            r#"command timed out: "sh -c set -e\nredis-cli -a s3cret ping\n" timed out after 1s"#,
            r#"command timed out: "sh -c set -e\nredis-cli -a *** ping\n" timed out after 1s"#,
        ),
        (r#"exec: ["curl" "-u" "a:b" "http://h"] failed"#, r#"exec: ["curl" "-u" *** "http://h"] failed"#),
        (
            "dial failed: postgres://app:p/w@db:5432/app?sslmode=disable",
            "dial failed: postgres://***@db:5432/app?sslmode=***",
        ),
        ("open app:secret@tcp(127.0.0.1:3306)/db", "open ***@tcp(127.0.0.1:3306)/db"),
        (
            r#"config: {"user":"app","password":"a,b c","port":5432}"#,
            r#"config: {"user":"app","password":***,"port":5432}"#,
        ),
        (r#"{"password": "x", "a": 1}"#, r#"{"password": *** "a": 1}"#),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("authorization: dXNlcjpwYXNz", "authorization: ***"),
        ("host=db user=app password=secret dbname=x", "host=db user=app password=*** dbname=x"),
        ("jdbc:mysql://h/db?user=u&password=p", "jdbc:mysql://h/db?user=***&password=***"),
        ("invalid token: a1b2c3d4e5", "invalid token: ***"),
        ("DB_PASSWORD='se cret' ./check --path /x", "DB_PASSWORD=*** ./check --path /x"),
        ("REDISCLI_AUTH=x redis-cli ping", "REDISCLI_AUTH=*** redis-cli ping"),
    ] {
        assert_eq!(message(given), wanted);
    }
}

#[test]
fn secrets_are_masked_in_commands() {
    for (given, wanted) in [
        (vec!["pg_isready", "-U", "app", "-h", "127.0.0.1"], "pg_isready -U app -h 127.0.0.1"),
        (vec!["cat", "/tmp/healthy"], "cat /tmp/healthy"),
        (vec!["/app", "-port=8080", "-ok=/health"], "/app -port=8080 -ok=/health"),
        (vec!["/app", "--port", "8080", "--path=/x"], "/app --port 8080 --path=/x"),
        (vec!["pg_isready", "-p", "5432"], "pg_isready -p 5432"),
        (vec!["redis-cli", "-p", "6379", "-a", "x", "ping"], "redis-cli -p 6379 -a *** ping"),
        (vec!["mysqladmin", "-p", "5432"], "mysqladmin -p ***"),
        (vec!["mysqladmin", "ping", "-uroot", "-psecret"], "mysqladmin ping -u*** -p***"),
        (vec!["mysqladmin", "ping", "--password=x"], "mysqladmin ping --password=***"),
        (vec!["mongosh", "--password", "x", "--eval", "1"], "mongosh --password *** --eval 1"),
        (vec!["curl", "-sSfu", "a:b", "http://h/x"], "curl -sSfu *** http://h/x"),
        (vec!["curl", "-H", "Authorization: Bearer x", "http://h"], "curl -H Authorization: *** http://h"),
        (vec!["curl", "-HX-Key: x", "http://h"], "curl -H*** http://h"),
        (vec!["curl", "--header=X-Key: x y", "http://h"], "curl --header=X-Key: *** http://h"),
        (vec!["curl", "--user", "a:b c", "http://h?x=1"], "curl --user *** http://h?x=***"),
        (vec!["redis-cli", "-a", "x", "ping"], "redis-cli -a *** ping"),
        (vec!["ls", "-a", "x"], "ls -a x"),
        (vec!["env", "PGPASSWORD=a b", "psql"], "env PGPASSWORD=*** psql"),
        (vec!["sh", "-c", "PGPASSWORD=x psql -U app"], "sh -c PGPASSWORD=*** psql -U app"),
        (vec!["sh", "-c", "redis-cli -a \"$PW\" ping | grep PONG"], "sh -c redis-cli -a *** ping | grep PONG"),
        (vec!["sh", "-ec", "mysqladmin -p'se cret' ping"], "sh -ec mysqladmin -p*** ping"),
        (vec!["sh", "-c", "wget -qO- --header 'X-A: b c' http://h"], "sh -c wget -qO- --header X-A: *** http://h"),
        (vec!["sqlcmd", "-U", "sa", "-P", "x"], "sqlcmd -U sa -P ***"),
        (vec!["java", "-Ddb.password=x", "-jar", "a.jar"], "java -Ddb.password=*** -jar a.jar"),
        (vec!["app", "--api-key=x", "--token", "y", "--secret", "z"], "app --api-key=*** --token *** --secret ***"),
        (vec!["app", "--tls-key-file", "/x", "--token-file", "/y"], "app --tls-key-file /x --token-file /y"),
    ] {
        assert_eq!(words(&given).join(" "), wanted);
    }
}

#[test]
fn texts_are_cut_at_characters() {
    assert_eq!(cut("aé", 2), "a");
    assert_eq!(path(&"é".repeat(2000)).len(), MAX_TEXT);
    assert_eq!(message(&"x ".repeat(5000)).len(), MAX_TEXT);
    assert_eq!(words(&[&"é".repeat(2000)])[0].len(), MAX_WORD);
    assert_eq!(words(&vec!["x"; 1000]).len(), MAX_WORDS);
}

const TEMPLATES: [&str; 14] = [
    r#"Get "http://user:SECRET@h:80/x": EOF"#,
    r#"Get "https://h/x?a=b&key=SECRET": EOF"#,
    r#"command timed out: "mysqladmin -pSECRET ping" timed out after 1s"#,
    r#"command "sh -c 'mysql -u root -p SECRET -e x'" timed out"#,
    r#"command "sh -c \"curl -u 'SECRET' http://h\"" timed out"#,
    "PASSWORD=SECRET cmd",
    "export API_KEY=\"SECRET\"; cmd",
    "--token SECRET",
    "--token=SECRET",
    r#"{"accessToken":"SECRET"}"#,
    "Authorization: Basic SECRET",
    "amqp://guest:SECRET@rabbit:5672/%2f",
    "redis-cli -h r -a SECRET ping",
    "x -H 'X-Api-Key: SECRET' y",
];

proptest! {
    #[test]
    fn a_secret_never_comes_through_and_masking_twice_changes_nothing(secret in "[A-Za-z0-9+_.!%~^-]{6,24}", template in 0..TEMPLATES.len()) {
        prop_assume!(!TEMPLATES[template].contains(&secret));
        let masked = message(&TEMPLATES[template].replace("SECRET", &secret)).into_owned();
        prop_assert!(!masked.contains(&secret), "{}", masked);
        prop_assert_eq!(message(&masked), masked.as_str());
    }

    #[test]
    fn masking_never_panics(text in r#"([a-z]|[-=:@?&#'"\\ /]|--|-p|éß|token|eyJ|://){0,60}"#) {
        path(&text);
        command([text.as_str(), text.as_str()]);
        message(&text);
    }
}
