//! Whole inputs, in the forms that people have.

use std::io::{self, Read};

use super::*;

/// What is found, as words.
fn found(name: &str, input: impl Read) -> Vec<String> {
    let mut all = Vec::new();
    read(name, Opened::new(input), &mut |place: &Place, found: Found| {
        all.push(match found {
            Found::Object(object) => format!("{place} {}", word(&object)),
            Found::Foreign => format!("{place} foreign"),
            Found::Trouble(trouble) => format!("{place} {trouble}"),
        });
    });
    all
}

fn word(object: &Object) -> &'static str {
    match object {
        Object::Pod(_) => "pod",
        Object::Event(_) => "event",
        Object::Service(_) => "service",
        _ => "other",
    }
}

#[test]
fn logs_between_objects_are_passed_over_whatever_they_say() {
    let text = "{\"kind\":\"Pod\"}\n==== START logs for container a of pod n/p ====\n{\"kind\":\"Pod\"\n---\nkind: Pod\n\
                ==== END logs for container a of pod n/other ====\n==== END logs for container a of pod n/p ====\n\
                {\"kind\":\"Service\"}\n";
    assert_eq!(found("d", text.as_bytes()), ["d:1 pod", "d:8 service"]);
    let cut = text.split("==== END").next().expect("a beginning");
    assert_eq!(found("d", cut.as_bytes()), ["d:1 pod", "d it is cut off: in the middle of a log"]);
}

#[test]
fn a_broken_object_costs_itself_alone() {
    let text = r#"{"kind":"List","items":[{"kind":"Pod","a":},{"kind":"Pod"},7,{"kind":"ConfigMap"},{"kind":"Pod"}]}"#;
    let told = found("d", text.as_bytes());
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(
        (&*told[0], &*told[1], &*told[2], &*told[3]),
        ("d:1 expected value", "d:1 pod", "d:1 foreign", "d:1 pod")
    );
}

#[test]
fn objects_that_do_not_say_what_they_are_are_what_their_file_is_named_after() {
    let items = r#"[{"metadata":{}},{"metadata":{}}]"#;
    assert_eq!(found("bundle/pods/shop.json", items.as_bytes()), ["bundle/pods/shop.json:1 pod"; 2]);
    assert_eq!(
        found("x.json", items.as_bytes()),
        ["x.json:1 foreign", "x.json:1 foreign", "x.json it holds no Kubernetes objects"]
    );
    let yaml = "apiVersion: v1\nitems:\n- metadata: {}\nkind: EventList\n";
    assert_eq!(found("core/events.yaml", yaml.as_bytes()), ["core/events.yaml:3 event"]);
}

#[test]
fn what_comes_byte_by_byte_is_read_all_the_same() {
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let wanted = buffer.len().min(1);
            self.0.read(&mut buffer[..wanted])
        }
    }
    let text = "\u{feff}\r\n{\"kind\":\"Pod\"}\r\n,\r\n{\"kind\":\"Service\"}\r\n";
    assert_eq!(found("d", Slow(text.as_bytes())), ["d:2 pod", "d:4 service"]);
}

#[test]
fn lists_in_too_many_lists_are_told() {
    let mut text = r#"{"kind":"Pod"}"#.to_owned();
    for _ in 0..=MAX_NESTED {
        text = format!(r#"{{"kind":"List","items":[{text}]}}"#);
    }
    assert_eq!(found("d", text.as_bytes()), ["d:1 a List in too many other lists"]);
}

#[test]
fn a_disk_that_fails_is_told_after_what_could_be_read() {
    struct Bad;
    impl Read for Bad {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("input/output error"))
        }
    }
    let input = b"{\"kind\":\"Pod\"}\n".as_slice().chain(Bad);
    assert_eq!(found("d", input), ["d:1 pod", "d it cannot be read: input/output error"]);
}
