//! Packs static binaries as a container image, without a container engine (`make image`).
//!
//! The image is an archive of the OCI image layout: what `ctr images import`, `podman load`, `kind load
//! image-archive` and `skopeo copy oci-archive:` take. The same binaries make the same bytes, whenever and
//! wherever: that is what a digest is worth.

mod layer;
mod layout;
mod oci;

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use oci::{About, Platform};

/// How it is called.
const USAGE: &str = "image FILE NAME:TAG REVISION SECONDS ARCHITECTURE=BINARY...";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match packed(&arguments) {
        Ok(digest) => {
            println!("{digest}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: cannot make the image: {why}\nhint: make image calls {USAGE}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the archive; returns the digest of the image.
fn packed(arguments: &[String]) -> Result<String, String> {
    let [file, name, revision, seconds, binaries @ ..] = arguments else { return Err("arguments are missing".into()) };
    let created = seconds.parse().map_err(|_| format!("{seconds} is no time in seconds since 1970"))?;
    let about = About { name, revision, created };
    let platforms = binaries.iter().map(|binary| platform(binary)).collect::<Result<Vec<_>, _>>()?;
    let (archive, digest) = oci::image(&about, &platforms).map_err(|error| error.to_string())?;
    fs::write(file, archive).map_err(|error| format!("{file}: {error}"))?;
    leave_files(&Path::new(file).with_extension(""), &platforms).map_err(|error| format!("its files: {error}"))?;
    Ok(digest)
}

/// Leaves what the image holds in a folder, as the Dockerfile wants it: `common.tar` and `amd64.tar`.
fn leave_files(folder: &Path, platforms: &[Platform]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("common.tar"), layer::common()?)?;
    for Platform { architecture, binary } in platforms {
        fs::write(folder.join(format!("{architecture}.tar")), layer::program(binary)?)?;
    }
    Ok(())
}

fn platform(pair: &str) -> Result<Platform, String> {
    let (architecture, path) = pair.split_once('=').ok_or_else(|| format!("{pair} names no binary"))?;
    let binary = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(Platform { architecture: architecture.to_owned(), binary })
}
