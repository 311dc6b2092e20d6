//! A recording of any content through reader, observer, engine and the forms of the answer.
#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use probehound::engine::Engine;
use probehound::replay::{Moment, replay};
use probehound::report::json::Document;
use probehound::report::text::listing::Listing;
use probehound::time::Time;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed % 3 != 0
        && let Some(mutated) = one_line(&data[..size], max_size, seed)
    {
        data[..mutated.len()].copy_from_slice(&mutated);
        return mutated.len();
    }
    fuzzer_mutate(data, size, max_size)
});

/// Mutates one of the lines and leaves the others.
fn one_line(data: &[u8], max: usize, seed: u32) -> Option<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let place = (seed / 3) as usize % lines.len();
    let room = max.saturating_sub(data.len()).saturating_add(lines[place].len());
    lines[place] = probehound_fuzz::mutate_json(&lines[place], room, seed)?;
    Some(lines.join(&b'\n'))
}

fuzz_target!(|data: &[u8]| {
    let mut engine = Engine::default();
    let (mut now, mut line) = (Time::from_millis(i64::MIN), 0);
    let mut told = 0;
    let replayed = replay(data, &mut engine, |moment| match moment {
        Moment::Record(progress) => {
            assert!(progress.record.at >= now, "time goes back");
            assert!(progress.record.line > line, "lines go back");
            (now, line) = (progress.record.at, progress.record.line);
        }
        Moment::Skipped(skipped) => {
            assert!(skipped.line > line, "lines go back");
            line = skipped.line;
        }
        Moment::Odd(odd) => assert!(odd.line > line, "lines go back"),
        Moment::Change(_) => told += 1,
        Moment::Answer(_) => {}
    });
    let zipped = data.starts_with(&[0x1f, 0x8b]);
    let lines = data.split(|byte| *byte == b'\n').count() as u64;
    assert!(zipped || replayed.observations + replayed.skipped <= lines);
    let findings = engine.findings();
    assert!(findings.is_empty() || told > 0, "a finding that was never told");
    let mut text = Listing::of(findings.iter().map(AsRef::as_ref), now).lines().join("\n");
    let document = Document { findings: &findings, observations: replayed.observations, skipped: replayed.skipped };
    text.push_str(&document.render().expect("plain data"));
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "a control character gets out");
});
