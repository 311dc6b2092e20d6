//! Pods in protobuf.
//!
//! 1. Whatever the bytes are, a pod and an event are read or refused, and what is kept is bounded.
//! 2. Of JSON that is a pod, the lean pod is the same in both encodings.
//! 3. The protobuf of a pod with a byte changed is read or refused.
#![no_main]

use k8s_openapi::api::core::v1::Pod;
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use probehound::source::cluster::wire::{EVENTS, Memory, PODS};
use probehound::source::objects::PodLite;
use serde_json::Value;

#[path = "../../tests/support/protobuf.rs"]
#[allow(dead_code, reason = "tests ask more of it")]
mod protobuf;

#[global_allocator]
static MEMORY: probehound_fuzz::Counting = probehound_fuzz::Counting::new();

/// What a lean object may hold: lists are cut, and of each byte of the wire an item can come.
const KEPT: usize = 1 << 20;
const KEPT_PER_BYTE: usize = 128;

/// How many bytes are changed, one at a time.
const CHANGES: usize = 8;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    probehound_fuzz::mutate(data, size, max_size, seed)
});

fuzz_target!(|data: &[u8]| {
    is_total(data);
    if let Ok(pod) = serde_json::from_slice::<Pod>(data)
        && let Ok(json) = serde_json::to_value(&pod)
        && let Some(bytes) = is_the_same(json)
    {
        changed(bytes, data);
    }
});

fn is_total(bytes: &[u8]) {
    let before = MEMORY.held();
    let mut memory = Memory::default();
    let pod = PODS.decode(&mut memory, Some("Pod"), bytes);
    assert_eq!(pod, PODS.decode(&mut memory, Some("Pod"), bytes), "what is remembered makes a difference");
    let event = EVENTS.decode(&mut memory, None, bytes);
    let held = MEMORY.held().saturating_sub(before);
    assert!(held <= KEPT + KEPT_PER_BYTE * bytes.len(), "{held} bytes are held of {}", bytes.len());
    drop((memory, pod, event));
}

/// Compares the encodings; `None` for a time that has no four digits for its year.
fn is_the_same(mut json: Value) -> Option<Vec<u8>> {
    protobuf::as_served("Pod", &mut json);
    let text = json.to_string();
    if text.contains(":\"-00") {
        return None;
    }
    let bytes = protobuf::object("Pod", &json);
    let of_wire = PODS.decode(&mut Memory::default(), Some("Pod"), &bytes).expect("a pod");
    let of_json: PodLite = serde_json::from_str(&text).expect("a pod");
    assert_eq!(*of_wire, of_json);
    Some(bytes)
}

fn changed(mut bytes: Vec<u8>, data: &[u8]) {
    for number in 0..CHANGES {
        let seed =
            data.iter().skip(number).step_by(CHANGES).fold(number, |sum, byte| sum * 31 % 65_521 + usize::from(*byte));
        let place = seed * 2_654_435_761 % bytes.len();
        let before = bytes[place];
        bytes[place] ^= (seed % 255) as u8 + 1;
        is_total(&bytes);
        bytes[place] = before;
    }
}
