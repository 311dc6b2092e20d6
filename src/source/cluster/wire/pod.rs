//! Pods in protobuf: what they have in common with those before them is not read again.

use serde::Deserialize;

use super::field::{Unreadable, Wired, last_of, next_field, split};
use super::memory::Memory;
use super::message::Message;
use super::messages::{OBJECT_META, POD_STATUS};
use super::read::{Encoded, text};
use crate::source::objects::{Maybe, Meta, PodLite, PodSpecLite, Shape};

const METADATA: u32 = 1;
const SPEC: u32 = 2;
const STATUS: u32 = 3;
/// In the metadata.
const LABELS: u32 = 11;
/// In the spec.
const NODE_NAME: u32 = 10;

/// Reads a pod; `kind` is what JSON shows as its kind.
///
/// # Errors
/// The bytes are no pod.
pub fn read(memory: &mut Memory, kind: Option<&str>, bytes: &[u8]) -> Result<Box<PodLite>, Unreadable> {
    let mut pod = Box::<PodLite>::default();
    pod.kind = kind.map_or(Maybe::Absent, |kind| Maybe::Is(kind.to_owned()));
    let mut rest = bytes;
    while let Some((number, value)) = next_field(&mut rest)? {
        match number {
            METADATA => pod.metadata = metadata(memory, value.bytes()?)?,
            SPEC => pod.spec = Maybe::Is(spec(memory, value.bytes()?)?),
            STATUS => pod.status = lean(&POD_STATUS, value.bytes()?)?,
            _ => {}
        }
    }
    Ok(pod)
}

fn metadata(memory: &mut Memory, bytes: &[u8]) -> Result<Maybe<Meta>, Unreadable> {
    let (labels, others) = split(bytes, LABELS)?;
    let mut metadata = lean(&OBJECT_META, &others)?;
    if let Maybe::Is(Meta { labels: field, .. }) = &mut metadata {
        *field = memory.labels(labels)?;
    }
    Ok(metadata)
}

fn spec(memory: &mut Memory, bytes: &[u8]) -> Result<PodSpecLite, Unreadable> {
    let (node_name, others) = split(bytes, NODE_NAME)?;
    let node_name = last_of(&node_name, NODE_NAME)?.map_or(Ok(&[][..]), Wired::bytes)?;
    let node_name = if node_name.is_empty() { Maybe::Absent } else { Maybe::Is(text(node_name).into_owned()) };
    Ok(PodSpecLite { node_name, common: memory.spec(others)? })
}

fn lean<T: Shape>(message: &'static Message, bytes: &[u8]) -> Result<Maybe<T>, Unreadable> {
    Maybe::deserialize(Encoded { message, bytes, kind: None })
}
