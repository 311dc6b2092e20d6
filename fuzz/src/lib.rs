//! What the fuzz targets share.

mod json;
mod memory;

use libfuzzer_sys::fuzzer_mutate;

pub use json::mutate as mutate_json;
pub use memory::Counting;

/// Changes an input in place, mostly as JSON, and returns its new length.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if seed % 4 != 0
        && let Some(mutated) = mutate_json(&data[..size], max_size, seed)
    {
        data[..mutated.len()].copy_from_slice(&mutated);
        return mutated.len();
    }
    fuzzer_mutate(data, size, max_size)
}
