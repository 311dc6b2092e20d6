//! `crd`: the CRD of the `Finding` objects.

use super::error::Error;
use super::print;
use crate::report::object;

/// Prints it.
pub fn run() -> Result<(), Error> {
    let definition = object::definition().map_err(|error| Error::Start(error.to_string()))?;
    print(definition.as_bytes())
}
