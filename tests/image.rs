//! The container image that `make image` packs: valid by OCI's specification, and always the same.

#[path = "../examples/image/layer.rs"]
mod layer;
#[path = "../examples/image/layout.rs"]
mod layout;
#[path = "../examples/image/oci.rs"]
mod oci;

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use layout::digest_of;
use oci::{About, Platform};
use serde_json::{Value, json};

const ABOUT: About = About { name: "registry.example/team/probehound:1.2.3", revision: "abc", created: 1_795_000_000 };
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// An archive, unpacked.
struct Archive(BTreeMap<String, Vec<u8>>);

#[test]
fn the_same_binaries_make_the_same_bytes() {
    let image = |platforms: &[Platform]| oci::image(&ABOUT, platforms).expect("an image");
    assert_eq!(image(&platforms()), image(&platforms()));
    let mut other = platforms();
    other[1].binary.push(0);
    assert_ne!(image(&platforms()).1, image(&other).1);
}

#[test]
fn each_blob_is_what_its_descriptor_says() {
    let archive = Archive::of(&platforms());
    assert_eq!(archive.file("oci-layout"), json!({"imageLayoutVersion": "1.0.0"}));
    let index = archive.file("index.json");
    let mut open = vec![index["manifests"][0].clone()];
    let mut seen = 0;
    while let Some(descriptor) = open.pop() {
        let content = archive.blob(&descriptor);
        assert_eq!(descriptor["digest"], digest_of(content));
        assert_eq!(descriptor["size"], content.len());
        seen += 1;
        if descriptor["mediaType"].as_str().expect("a type").ends_with("json") {
            let document: Value = serde_json::from_slice(content).expect("JSON");
            assert!(["manifests", "layers", "rootfs"].iter().any(|key| document.get(key).is_some()), "{document}");
            open.extend(["manifests", "layers"].iter().filter_map(|key| document[*key].as_array()).flatten().cloned());
            open.extend(document["config"]["digest"].is_string().then(|| document["config"].clone()));
        }
    }
    // An index, and two manifests with a configuration and two layers each, of which they share one.
    assert_eq!(seen, 1 + 2 * 4);
    assert_eq!(archive.0.len(), 2 + seen - 1, "nothing is there that nothing leads to");
}

#[test]
fn the_configuration_fits_the_layers_and_lets_nobody_be_root() {
    let archive = Archive::of(&platforms());
    for (manifest, platform) in archive.manifests().iter().zip(platforms()) {
        let config = archive.document(&manifest["config"]);
        assert_eq!((&config["os"], &config["architecture"]), (&json!("linux"), &json!(platform.architecture)));
        assert_eq!(config["config"]["User"], "65532:65532");
        assert_eq!(config["config"]["Entrypoint"], json!(["/usr/local/bin/probehound"]));
        let layers = manifest["layers"].as_array().expect("layers");
        let digests: Vec<String> = layers.iter().map(|layer| digest_of(&archive.unpacked(layer))).collect();
        assert_eq!(config["rootfs"], json!({"type": "layers", "diff_ids": digests}));
        for labels in [&config["config"]["Labels"], &manifest["annotations"]] {
            assert_eq!(labels["org.opencontainers.image.version"], env!("CARGO_PKG_VERSION"));
            assert_eq!(labels["org.opencontainers.image.revision"], "abc");
            assert_eq!(labels["org.opencontainers.image.created"], "2026-11-18T11:06:40Z");
            assert_eq!(labels["org.opencontainers.image.licenses"], "Apache-2.0");
        }
    }
}

#[test]
fn the_dockerfile_makes_the_same_of_the_same_files() {
    let archive = Archive::of(&platforms());
    let config = archive.document(&archive.manifests()[0]["config"])["config"].clone();
    let dockerfile = include_str!("../Dockerfile");
    let words = |key: &str| -> Vec<&str> { dockerfile.lines().filter_map(|line| line.strip_prefix(key)).collect() };
    assert_eq!(words("FROM "), ["scratch"]);
    assert_eq!(words("ADD "), ["target/image/common.tar /", "target/image/${TARGETARCH}.tar /"]);
    assert_eq!(config["User"], words("USER ")[0]);
    assert_eq!(config["WorkingDir"], words("WORKDIR ")[0]);
    assert_eq!(config["Entrypoint"].to_string(), words("ENTRYPOINT ")[0]);
    assert_eq!(config["ExposedPorts"], json!({words("EXPOSE ")[0]: {}}));
}

#[test]
fn it_holds_the_program_the_authorities_and_the_licence_and_no_shell() {
    let archive = Archive::of(&platforms());
    for (manifest, platform) in archive.manifests().iter().zip(platforms()) {
        let layers = manifest["layers"].as_array().expect("layers");
        let files: BTreeMap<_, _> = layers.iter().flat_map(|layer| files(&archive.unpacked(layer))).collect();
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["etc/ssl/certs/ca-certificates.crt", "usr/local/bin/probehound", "usr/share/doc/probehound/LICENSE"]
        );
        assert_eq!(files["usr/local/bin/probehound"], (0o755, platform.binary));
        assert_eq!(files["usr/share/doc/probehound/LICENSE"].1, include_bytes!("../LICENSE"));
    }
}

#[test]
fn tls_reads_the_authorities_of_the_image() {
    let archive = Archive::of(&platforms());
    let common = archive.unpacked(&archive.manifests()[0]["layers"][0]);
    let (_, roots) = &files(&common)["etc/ssl/certs/ca-certificates.crt"];
    let mut store = rustls::RootCertStore::empty();
    let read = rustls::pki_types::pem::PemObject::pem_slice_iter(roots).collect::<Result<Vec<_>, _>>().expect("PEM");
    let (added, ignored) = store.add_parsable_certificates(read);
    assert!(added > 100 && ignored == 0, "{added} and {ignored}");
}

#[test]
fn docker_load_finds_an_image_of_one_architecture_too() {
    let archive = Archive::of(&platforms()[..1]);
    let saved = &archive.file("manifest.json")[0];
    assert_eq!(saved["RepoTags"], json!([ABOUT.name]));
    let manifest = &archive.manifests()[0];
    let wanted: Vec<&Value> = [&manifest["config"]].into_iter().chain(manifest["layers"].as_array().unwrap()).collect();
    let found = [&saved["Config"]].into_iter().chain(saved["Layers"].as_array().expect("layers"));
    for (path, descriptor) in found.zip(&wanted) {
        assert_eq!(&archive.0[path.as_str().expect("a path")], archive.blob(descriptor));
    }
    assert!(!Archive::of(&platforms()).0.contains_key("manifest.json"), "it cannot tell architectures apart");
}

#[test]
fn who_imports_the_archive_gets_it_under_its_name() {
    let index = Archive::of(&platforms()).file("index.json");
    let [image] = &index["manifests"].as_array().expect("manifests")[..] else { panic!("{index}") };
    assert_eq!(image["mediaType"], INDEX);
    assert_eq!(image["annotations"]["io.containerd.image.name"], ABOUT.name);
    assert_eq!(image["annotations"]["org.opencontainers.image.ref.name"], "1.2.3");
}

#[test]
fn a_node_finds_it_by_the_name_that_a_pod_gives() {
    for (name, full) in [
        ("probehound:1", "docker.io/library/probehound:1"),
        ("team/probehound:1", "docker.io/team/probehound:1"),
        ("localhost/probehound:1", "localhost/probehound:1"),
        ("127.0.0.1:5000/probehound:1", "127.0.0.1:5000/probehound:1"),
    ] {
        let (tar, _) = oci::image(&About { name, ..ABOUT }, &platforms()).expect("an image");
        let index: Value = serde_json::from_slice(&files(&tar)["index.json"].1).expect("JSON");
        assert_eq!(index["manifests"][0]["annotations"]["io.containerd.image.name"], full);
    }
}

fn platforms() -> [Platform; 2] {
    ["amd64", "arm64"].map(|architecture| Platform {
        architecture: architecture.to_owned(),
        binary: format!("\u{7f}ELF of {architecture}").repeat(1000).into_bytes(),
    })
}

/// The files of a tar, with mode and content; all of it is root's, and of 1970.
fn files(tar: &[u8]) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(tar).entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let header = entry.header().clone();
        let owner = [header.uid().expect("a user"), header.gid().expect("a group"), header.mtime().expect("a time")];
        assert_eq!(owner, [0, 0, 0]);
        let path = entry.path().expect("a path").display().to_string();
        if header.entry_type().is_dir() {
            continue;
        }
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("readable");
        files.insert(path, (header.mode().expect("a mode"), content));
    }
    files
}

impl Archive {
    fn of(platforms: &[Platform]) -> Self {
        let (tar, digest) = oci::image(&ABOUT, platforms).expect("an image");
        let files = files(&tar).into_iter().map(|(path, (_, content))| (path, content));
        let archive = Self(files.collect());
        assert_eq!(archive.file("index.json")["manifests"][0]["digest"], digest.as_str());
        archive
    }

    fn file(&self, path: &str) -> Value {
        serde_json::from_slice(&self.0[path]).expect("JSON")
    }

    fn blob(&self, descriptor: &Value) -> &Vec<u8> {
        &self.0[&format!("blobs/{}", descriptor["digest"].as_str().expect("a digest").replace(':', "/"))]
    }

    fn document(&self, descriptor: &Value) -> Value {
        serde_json::from_slice(self.blob(descriptor)).expect("JSON")
    }

    fn unpacked(&self, layer: &Value) -> Vec<u8> {
        assert_eq!(layer["mediaType"], "application/vnd.oci.image.layer.v1.tar+gzip");
        let mut tar = Vec::new();
        GzDecoder::new(&**self.blob(layer)).read_to_end(&mut tar).expect("gzip");
        tar
    }

    /// The manifests of the platforms, in order.
    fn manifests(&self) -> Vec<Value> {
        let index = self.document(&self.file("index.json")["manifests"][0]);
        let descriptors = index["manifests"].as_array().expect("manifests").clone();
        descriptors.iter().map(|descriptor| self.document(descriptor)).collect()
    }
}
