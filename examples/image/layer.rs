//! The files of an image, as layers that depend on nothing but these files.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// Where TLS libraries look first; a Secret or `ConfigMap` mounted there takes its place.
const ROOTS: &str = "etc/ssl/certs/ca-certificates.crt";
/// Where the program is, as the entry point has it, without the first slash.
const PROGRAM: &str = "usr/local/bin/probehound";
const LICENSE: &str = "usr/share/doc/probehound/LICENSE";

/// What all architectures have in common, as a tar: Mozilla's certificate authorities, of the version in
/// Cargo.lock, and the licence.
pub fn common() -> io::Result<Vec<u8>> {
    tar(&[(ROOTS, roots().as_bytes(), 0o644), (LICENSE, include_bytes!("../../LICENSE"), 0o644)])
}

/// The program alone, as a tar.
pub fn program(binary: &[u8]) -> io::Result<Vec<u8>> {
    tar(&[(PROGRAM, binary, 0o755)])
}

/// Packs a tar, without the time and the name that gzip may carry.
pub fn packed(tar: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(tar)?;
    encoder.finish()
}

/// A tar of these files (path, content, mode) and the folders above them: all root's, all of 1970.
fn tar(files: &[(&str, &[u8], u32)]) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    let mut folders = Vec::new();
    for (path, content, mode) in files {
        for (end, _) in path.match_indices('/') {
            let folder = &path[..=end];
            if !folders.contains(&folder) {
                folders.push(folder);
                builder.append_data(&mut header(EntryType::Directory, 0, 0o755), folder, io::empty())?;
            }
        }
        builder.append_data(&mut header(EntryType::Regular, content.len(), *mode), path, *content)?;
    }
    builder.into_inner()
}

/// The header of an entry: of root, and of 1970.
pub fn header(kind: EntryType, size: usize, mode: u32) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

/// The authorities in PEM, as on other systems.
fn roots() -> String {
    const COLUMNS: usize = 64;
    let mut text = String::new();
    for certificate in TLS_SERVER_ROOT_CERTS {
        let encoded = STANDARD.encode(certificate);
        text.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in encoded.as_bytes().chunks(COLUMNS) {
            text.extend(line.iter().map(|byte| char::from(*byte)));
            text.push('\n');
        }
        text.push_str("-----END CERTIFICATE-----\n");
    }
    text
}
