use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

const POD: &str = r#"{"ts":"2026-01-01T00:00:01Z","resource":"pods","type":"ADDED","object":{"kind":"Pod"}}"#;

/// A line with that time, resource, type and object.
fn line(second: u32, resource: &str, kind: &str, object: &str) -> String {
    let ts = at(second);
    format!(r#"{{"ts":"{ts}","resource":"{resource}","type":"{kind}","object":{object}}}"#)
}

fn at(second: u32) -> Time {
    Time::from_millis(1_767_225_600_000 + i64::from(second) * 1000)
}

fn read(bytes: &[u8]) -> Vec<Result<Item, ReadError>> {
    Reader::new(bytes).expect("readable").collect()
}

/// What is wrong with each line, or the seconds of its time.
fn told(text: &str) -> Vec<Result<i64, String>> {
    let tell = |item: Result<Item, ReadError>| match item.expect("readable") {
        Item::Record(record) => Ok((record.at.as_millis() - at(0).as_millis()) / 1000),
        Item::Skipped(skipped) => Err(format!("{}: {}", skipped.line, skipped.what)),
    };
    read(text.as_bytes()).into_iter().map(tell).collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).expect("in memory");
    encoder.finish().expect("in memory")
}

#[test]
fn lines_come_in_order_with_empty_ones_passed_over() {
    let text = format!("\n{}\r\n  \n{}", line(1, "pods", "ADDED", "{}"), line(2, "events", "MODIFIED", "{}"));
    assert_eq!(told(&text), [Ok(1), Ok(2)]);
}

#[test]
fn corrupt_lines_are_told_and_the_rest_is_read() {
    let text = [
        line(1, "pods", "ADDED", "{}"),
        "{".to_owned(),
        "[]".to_owned(),
        "no JSON".to_owned(),
        r#"{"resource":"pods","type":"ADDED","object":{}}"#.to_owned(),
        POD.replace("2026-01-01T00:00:01Z", "yesterday"),
        POD.replace("2026-", "9998-"),
        POD.replace("2026-01-01T00:00:01Z", "0001-01-01T00:00:00Z"),
        POD.replace("\"2026-01-01T00:00:01Z\"", "7"),
        line(3, "pods", "ERROR", "{}"),
        line(3, "pods", "ADDED", "null"),
        line(3, "pods", "ADDED", "\"x\""),
        line(3, "pods", "ADDED", "{\"kind\":}"),
        line(4, "pods", "DELETED", "{}"),
    ];
    let told: Vec<_> = told(&text.join("\n"))
        .into_iter()
        .map(|item| item.map_err(|what| what.chars().take(60).collect::<String>()))
        .collect();
    assert_eq!(told.len(), text.len());
    assert!(told[1..13].iter().all(Result::is_err), "{told:?}");
    assert_eq!(told[5], Err("6: ts: not an RFC 3339 time".to_owned()));
    assert_eq!(told[6], Err("7: ts: the year 9998 is out of range".to_owned()));
    assert_eq!(told[9], Err("10: the type \"ERROR\" is unknown".to_owned()));
    assert_eq!(told[10], Err("11: object: expected an object, found nothing".to_owned()));
    assert_eq!((&told[0], &told[13]), (&Ok(1), &Ok(4)));
}

#[test]
fn other_resources_say_nothing_but_the_time() {
    let text = [
        line(1, "nodes", "ADDED", "null"),
        line(2, "nodes", "ERROR", "7"),
        POD.replace("2026-01-01T00:00:01Z", "?").replace("pods", "nodes"),
    ];
    assert_eq!(told(&text.join("\n")), [Ok(1), Ok(2)]);
}

#[test]
fn a_bookmark_has_no_object() {
    let text = line(1, "pods", "BOOKMARK", r#"{"metadata":{"resourceVersion":"7"}}"#);
    let items = read(text.as_bytes());
    assert!(matches!(&items[0], Ok(Item::Record(record)) if matches!(record.object, Object::Nothing)));
}

#[test]
fn bytes_that_are_no_text_cost_one_line() {
    let bytes = [POD.as_bytes(), b"\n\xff\xfe{}\n\0\n", POD.as_bytes()].concat();
    let items = read(&bytes);
    assert_eq!(items.len(), 4);
    assert!(matches!(&items[1], Ok(Item::Skipped(skipped)) if skipped.what == "the line is not UTF-8"));
}

#[test]
fn a_line_that_is_too_long_costs_one_line() {
    let long = line(2, "pods", "ADDED", &format!("{{\"x\":\"{}\"}}", "x".repeat(10 << 20)));
    let text = [line(1, "pods", "ADDED", "{}"), long, line(3, "pods", "ADDED", "{}")];
    let told = told(&text.join("\n"));
    assert_eq!(told[1], Err("2: the line is longer than 8 MiB".to_owned()));
    assert_eq!((&told[0], &told[2]), (&Ok(1), &Ok(3)));
}

#[test]
fn deep_nesting_costs_at_most_one_line() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let ignored = line(1, "pods", "ADDED", &format!("{{\"x\":{deep}}}"));
    let odd = line(2, "pods", "ADDED", &format!("{{\"spec\":{deep}}}"));
    let hashed = format!("{{\"spec\":{{\"containers\":[{{\"env\":[{{\"value\":{deep}}}]}}]}}}}");
    let hashed = line(3, "pods", "ADDED", &hashed);
    let told = told(&[ignored, odd, hashed, line(4, "pods", "ADDED", "{}")].join("\n"));
    for (line, told) in (1..).zip(&told[..3]) {
        assert_eq!(told, &Err(format!("{line}: nested deeper than 100 levels")));
    }
    assert_eq!(told[3], Ok(4));
}

#[test]
fn gzip_is_known_by_its_content_and_may_have_members() {
    let first = gzip(&format!("{}\n", line(1, "pods", "ADDED", "{}")));
    let second = gzip(&line(2, "pods", "ADDED", "{}"));
    let items = read(&[first, second].concat());
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(Result::is_ok));
}

#[test]
fn a_cut_gzip_stream_ends_with_an_error_after_what_was_whole() {
    let lines: Vec<_> = (0..2000).map(|second| line(second, "pods", "ADDED", "{}")).collect();
    let whole = gzip(&lines.join("\n"));
    let items = read(&whole[..whole.len() / 2]);
    let [before @ .., line, end] = &items[..] else { panic!("too short") };
    assert!(before.len() > 100 && before.iter().all(Result::is_ok));
    assert!(matches!(line, Ok(Item::Skipped(skipped)) if skipped.line == before.len() as u64 + 1));
    let error = end.as_ref().expect_err("cut");
    assert_eq!(error.after, before.len() as u64);
}

#[test]
fn an_empty_recording_is_empty() {
    assert!(read(b"").is_empty());
    assert!(read(b"\n").is_empty());
    assert!(matches!(&read(b"x")[..], [Ok(Item::Skipped(_))]));
}

#[test]
fn time_never_goes_back() {
    let text: Vec<_> = [100, 95, 20, 101, 30].map(|second| line(second, "pods", "ADDED", "{}")).into();
    assert_eq!(told(&text.join("\n")), [Ok(100), Ok(100), Ok(100), Ok(101), Ok(101)]);
}

#[test]
fn one_stamp_far_ahead_does_not_stop_the_time() {
    let text: Vec<_> = [1, 2, 90_000, 3, 4].map(|second| line(second, "pods", "ADDED", "{}")).into();
    assert_eq!(told(&text.join("\n")), [Ok(1), Ok(2), Ok(2), Ok(3), Ok(4)]);
    let first: Vec<_> = [90_000, 3, 4].map(|second| line(second, "pods", "ADDED", "{}")).into();
    assert_eq!(told(&first.join("\n")), [Ok(3), Ok(3), Ok(4)]);
    let gap: Vec<_> = [1, 2, 90_000, 90_001].map(|second| line(second, "pods", "ADDED", "{}")).into();
    assert_eq!(told(&gap.join("\n")), [Ok(1), Ok(2), Ok(90_000), Ok(90_001)]);
}

#[test]
fn what_is_read_is_counted() {
    let mut reader = Reader::new(POD.as_bytes()).expect("readable");
    assert!(reader.next().is_some());
    assert_eq!(reader.bytes_read(), POD.len() as u64);
}

#[test]
fn a_bookmark_says_when_the_watch_of_pods_was_lost() {
    let lost = r#"{"metadata":{"annotations":{"probehound.dev/watch-lost":""}}}"#;
    let text = [
        line(1, "pods", "BOOKMARK", lost),
        line(2, "pods", "BOOKMARK", "{}"),
        line(3, "events", "BOOKMARK", lost),
        line(4, "pods", "BOOKMARK", "7"),
    ];
    let kinds: Vec<_> = read(text.join("\n").as_bytes())
        .into_iter()
        .map(|item| match item {
            Ok(Item::Record(record)) => record.kind,
            other => panic!("{other:?}"),
        })
        .collect();
    let plain = RecordKind::Bookmark;
    assert_eq!(kinds, [RecordKind::Blind, plain, plain, plain]);
}
