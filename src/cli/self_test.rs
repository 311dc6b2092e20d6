//! `self-test`: what the pods of `helm test` run, since the image has no other program.
//!
//! One is an app whose probe asks for a path that it does not serve; the other waits until the operator
//! has told so. Neither creates anything.

mod app;
mod sight;

use super::args::SelfTest;
use super::error::Error;
use super::print;

/// Runs one of the two.
pub fn run(part: &SelfTest) -> Result<(), Error> {
    match part {
        SelfTest::App { listen } => app::serve(*listen),
        SelfTest::Wait(wait) => print(format!("{}\n", sight::wait(wait)?).as_bytes()),
    }
}
