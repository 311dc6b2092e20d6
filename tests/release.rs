//! What a release has, packed from binaries that are given.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_probehound");

#[test]
fn an_archive_has_the_binary_the_licence_completions_and_a_page_for_each_command() {
    let folder = packed("archive");
    for architecture in ["amd64", "arm64"] {
        let files = files(&folder.join(format!("probehound-linux-{architecture}.tar.gz")));
        assert_eq!(files["probehound"], (0o755, format!("for {architecture}").into_bytes()));
        assert_eq!(files["LICENSE"], (0o644, include_bytes!("../LICENSE").to_vec()));
        for name in ["completions/probehound.bash", "completions/probehound.fish", "completions/probehound.zsh"] {
            assert!(files[name].1.len() > 1000, "{name}");
        }
        for command in ["", "-scan", "-run", "-replay", "-lint"] {
            let page = &files[&format!("man/probehound{command}.1")].1;
            assert!(page.windows(4).any(|bytes| bytes == b".TH "), "{command}");
        }
        assert!(!files.keys().any(|name| name.contains("self-test")), "it is hidden");
    }
}

#[test]
fn the_same_binaries_make_the_same_files() {
    let contents = |name| {
        let folder = packed(name);
        let entries = folder.read_dir().expect("a folder").map(|entry| entry.expect("an entry").path());
        let read = |path: PathBuf| (path.file_name().expect("a name").to_owned(), fs::read(&path).expect("readable"));
        entries.map(read).collect::<BTreeMap<_, _>>()
    };
    let (one, other) = (contents("one"), contents("other"));
    assert_eq!(one.len(), 4);
    assert!(one == other, "{:?} and {:?}", one.keys(), other.keys());
}

#[test]
fn the_sums_are_those_of_the_files() {
    let folder = packed("sums");
    let check = Command::new("sha256sum").args(["--check", "--strict", "sha256sums.txt"]).current_dir(&folder).output();
    let check = check.expect("coreutils are installed");
    assert!(check.status.success(), "{check:?}");
    assert_eq!(String::from_utf8_lossy(&check.stdout).lines().count(), 3);
}

#[test]
fn krews_manifest_names_the_archives_with_their_sums() {
    let folder = packed("krew");
    let text = fs::read_to_string(folder.join("krew.yaml")).expect("it is made");
    assert!(!text.contains("{{"), "{text}");
    let plugin: Value = serde_saphyr::from_str(&text).expect("YAML");
    let tag = format!("v{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(plugin["spec"]["version"], tag.as_str());
    let sums = fs::read_to_string(folder.join("sha256sums.txt")).expect("they are made");
    let platforms = plugin["spec"]["platforms"].as_array().expect("platforms");
    assert_eq!(platforms.len(), 2);
    for platform in platforms {
        let (uri, sum) = (platform["uri"].as_str().expect("an address"), platform["sha256"].as_str().expect("a sum"));
        let (before, file) = uri.rsplit_once('/').expect("a path");
        assert!(before.ends_with(&format!("/releases/download/{tag}")), "{uri}");
        assert!(sums.contains(&format!("{sum}  {file}\n")), "{uri}: {sums}");
    }
}

/// Packs two small files as binaries into a folder of that name.
fn packed(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("release").join(name);
    // It is not there the first time.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("a folder can be made");
    let binary = |architecture| {
        let path = folder.join(format!("of-{architecture}"));
        fs::write(&path, format!("for {architecture}")).expect("a file can be written");
        format!("{architecture}={}", path.display())
    };
    let binaries = [binary("amd64"), binary("arm64")];
    let target = folder.join("dist");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/pack");
    let run = Command::new(script).arg(&target).arg(PROGRAM).args(binaries).output().expect("bash is installed");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    target
}

/// The files of an archive, with mode and content; all of it is root's, and of 1970.
fn files(path: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    let archive = fs::File::open(path).expect("it is made");
    for entry in tar::Archive::new(GzDecoder::new(archive)).entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let header = entry.header().clone();
        assert_eq!((header.uid().expect("a user"), header.mtime().expect("a time")), (0, 0));
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("readable");
        if header.entry_type().is_file() {
            let path = entry.path().expect("a path").display().to_string();
            files.insert(path, (header.mode().expect("a mode"), content));
        }
    }
    files
}
