//! Reads and replays all recorded incidents.

use std::fs::File;
use std::path::PathBuf;

use probehound::engine::{Engine, Observation};
use probehound::replay::{Moment, replay};

fn recordings() -> Vec<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/incidents");
    let Ok(entries) = folder.read_dir() else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "gz"));
    files.sort();
    files
}

#[test]
fn every_recording_is_read_without_passing_over_a_line() {
    for file in recordings() {
        let input = File::open(&file).expect("readable");
        let mut records = 0;
        let mut pods = 0;
        let result = replay(input, &mut Engine::default(), |moment| match moment {
            Moment::Record(progress) => {
                records += 1;
                pods += u64::from(matches!(progress.observation, Some(Observation::Pod(_))));
            }
            Moment::Skipped(skipped) | Moment::Odd(skipped) => panic!("{}: {skipped:?}", file.display()),
            Moment::Answer(_) | Moment::Change(_) => {}
        });
        assert!(result.error.is_none(), "{}: {:?}", file.display(), result.error);
        assert_eq!((result.observations, result.skipped), (records, 0));
        assert!(pods > 0 && result.first < result.last, "{}", file.display());
    }
}

#[test]
fn a_skipped_record_is_told_with_its_line() {
    let text = concat!(
        r#"{"ts":"2026-01-01T00:00:00Z","resource":"pods","type":"ADDED","object":{"kind":"ConfigMap"}}"#,
        "\n",
        r#"{"ts":"2026-01-01T00:00:01Z","resource":"nodes","type":"ADDED","object":{}}"#,
        "\n\n",
        r#"{"ts":"2026-01-01T00:00:02Z","resource":"pods","type":"ADDED","object":{"metadata":{"name":"a"}}}"#,
        "\n",
        r#"{"ts":"2026-01-01T00:00:03Z","resource":"pods","type":"DELETED","object":{"metadata":{"name":"a"}}}"#,
    );
    let mut told = Vec::new();
    let result = replay(text.as_bytes(), &mut Engine::default(), |moment| {
        if let Moment::Skipped(skipped) = moment {
            told.push((skipped.line, skipped.what));
        }
    });
    assert_eq!(
        told,
        [(1, "a ConfigMap among pods".to_owned()), (4, "spec: expected an object, found nothing".to_owned())]
    );
    assert_eq!((result.observations, result.skipped), (1, 2));
    assert_eq!(result.last.map(|time| time.to_string()).as_deref(), Some("2026-01-01T00:00:03.000Z"));
}

#[test]
fn what_the_fuzzers_found_is_replayed_without_a_panic() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/found");
    for entry in folder.read_dir().expect("readable") {
        let file = entry.expect("readable").path();
        if file.is_dir() {
            continue;
        }
        let result = replay(File::open(&file).expect("readable"), &mut Engine::default(), |_| {});
        assert!(result.error.is_none() && result.observations > 0, "{}", file.display());
    }
}
