//! The image: its configuration, a manifest for each architecture, and the index of these
//! (<https://github.com/opencontainers/image-spec>, 1.1).

use std::io;

use serde_json::{Map, Value, json};

use super::layer;
use super::layout::{Layout, digest_of};

/// The media type of an index.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Nobody: the manifests run it as this user too.
const USER: &str = "65532:65532";
const ENTRYPOINT: &str = "/usr/local/bin/probehound";

/// What an image says about itself.
#[derive(Copy, Clone, Debug)]
pub struct About<'a> {
    /// `ghcr.io/probehound/probehound:0.1.0`: who imports the archive gets it under this name.
    pub name: &'a str,
    /// The commit.
    pub revision: &'a str,
    /// When that was, in seconds since 1970: building later changes nothing.
    pub created: i64,
}

/// A binary, and where it runs.
#[derive(Clone, Debug)]
pub struct Platform {
    /// As OCI calls it: `amd64`, `arm64`.
    pub architecture: String,
    /// A static binary for Linux.
    pub binary: Vec<u8>,
}

/// Makes the archive of an image for these platforms; returns it and the digest of the image.
pub fn image(about: &About, platforms: &[Platform]) -> io::Result<(Vec<u8>, String)> {
    let mut layout = Layout::default();
    let common = layer::common()?;
    let mut manifests = Vec::new();
    for platform in platforms {
        let layers = [common.clone(), layer::program(&platform.binary)?];
        manifests.push(manifest(&mut layout, about, platform, &layers)?);
    }
    let index = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests, "annotations": annotations(about)?,
    });
    let mut index = layout.add_document(INDEX, &index);
    let digest = index["digest"].as_str().unwrap_or_default().to_owned();
    let tag = about.name.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    // The second is what containerd goes by, since the first has to be no more than a tag.
    let name = in_full(about.name);
    index["annotations"] = json!({"org.opencontainers.image.ref.name": tag, "io.containerd.image.name": name});
    Ok((layout.archive(&index, about.name)?, digest))
}

/// A name with its registry: what a pod calls `probehound:1` is `docker.io/library/probehound:1` on a node.
fn in_full(name: &str) -> String {
    let is_host = |first: &str| first.contains(['.', ':']) || first == "localhost";
    match name.split_once('/') {
        Some((first, _)) if is_host(first) => name.to_owned(),
        Some(_) => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    }
}

/// Keeps the manifest for a platform, with all that it leads to; returns its descriptor.
fn manifest(layout: &mut Layout, about: &About, platform: &Platform, layers: &[Vec<u8>]) -> io::Result<Value> {
    let annotations = annotations(about)?;
    let place = json!({"os": "linux", "architecture": platform.architecture});
    let mut config = json!({
        "created": annotations["org.opencontainers.image.created"],
        "config": {
            "User": USER,
            "Entrypoint": [ENTRYPOINT],
            "ExposedPorts": {"8080/tcp": {}},
            "WorkingDir": "/",
            "Labels": annotations,
        },
        "rootfs": {"type": "layers", "diff_ids": layers.iter().map(|layer| digest_of(layer)).collect::<Vec<_>>()},
    });
    for key in ["os", "architecture"] {
        config[key] = place[key].clone();
    }
    let config = layout.add_document(CONFIG, &config);
    let mut packed = Vec::new();
    for layer in layers {
        packed.push(layout.add(LAYER, layer::packed(layer)?));
    }
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": packed, "annotations": annotations,
    });
    let mut descriptor = layout.add_document(MANIFEST, &manifest);
    descriptor["platform"] = place;
    Ok(descriptor)
}

/// The annotations of the image and its manifests, which are its labels too.
fn annotations(about: &About) -> io::Result<Value> {
    let created = jiff::Timestamp::from_second(about.created).map_err(io::Error::other)?;
    let repository = env!("CARGO_PKG_REPOSITORY");
    let all = [
        ("title", "probehound".to_owned()),
        ("description", env!("CARGO_PKG_DESCRIPTION").to_owned()),
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("revision", about.revision.to_owned()),
        ("created", created.to_string()),
        ("licenses", env!("CARGO_PKG_LICENSE").to_owned()),
        ("source", repository.to_owned()),
        ("documentation", format!("{repository}#readme")),
    ];
    let named = all.into_iter().map(|(key, text)| (format!("org.opencontainers.image.{key}"), Value::from(text)));
    Ok(Value::Object(named.collect::<Map<_, _>>()))
}
