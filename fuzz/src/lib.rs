//! What the fuzz targets share.

mod json;
mod memory;

pub use json::mutate as mutate_json;
pub use memory::Counting;
