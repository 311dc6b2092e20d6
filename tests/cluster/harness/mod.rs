//! The foundation of the tests: servers, programs and folders that end with the run.
#![allow(dead_code, unused_imports, reason = "each test crate uses a part of this")]

pub mod api;
pub mod clock;
pub mod control_plane;
pub mod folder;
pub mod installed;
pub mod ports;
pub mod process;
pub mod waiting;

pub use api::Api;
pub use control_plane::ControlPlane;
pub use folder::Folder;
pub use installed::installed;
pub use process::{Process, Signal};
