//! The OCI image layout as an archive: blobs, each called by its digest, and an index that leads to them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tar::{Builder, EntryType};

use super::layer::header;

/// A place of blobs.
#[derive(Default)]
pub struct Layout {
    blobs: BTreeMap<String, Vec<u8>>,
}

/// The digest of a content, as OCI writes it.
pub fn digest_of(content: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in digest(&SHA256, content).as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

impl Layout {
    /// Keeps a blob; returns its descriptor.
    pub fn add(&mut self, media_type: &str, content: Vec<u8>) -> Value {
        let digest = digest_of(&content);
        let descriptor = json!({"mediaType": media_type, "digest": digest, "size": content.len()});
        self.blobs.insert(digest, content);
        descriptor
    }

    /// Keeps a document; returns its descriptor.
    pub fn add_document(&mut self, media_type: &str, document: &Value) -> Value {
        self.add(media_type, document.to_string().into_bytes())
    }

    /// All of it as a tar that leads to this one image.
    pub fn archive(self, image: &Value, name: &str) -> io::Result<Vec<u8>> {
        let index = json!({"schemaVersion": 2, "mediaType": super::oci::INDEX, "manifests": [image]});
        let mut builder = Builder::new(Vec::new());
        append(&mut builder, "oci-layout", json!({"imageLayoutVersion": "1.0.0"}).to_string().as_bytes())?;
        append(&mut builder, "index.json", index.to_string().as_bytes())?;
        if let Some(saved) = self.as_docker_saves_it(image, name) {
            append(&mut builder, "manifest.json", saved.to_string().as_bytes())?;
        }
        for (digest, content) in &self.blobs {
            append(&mut builder, &format!("blobs/{}", digest.replace(':', "/")), content)?;
        }
        builder.into_inner()
    }

    /// The list by which `docker load` finds an image where it does not know the layout; it has no place for
    /// several architectures.
    fn as_docker_saves_it(&self, image: &Value, name: &str) -> Option<Value> {
        let index = self.document(image)?;
        let [manifest] = &index["manifests"].as_array()?[..] else { return None };
        let manifest = self.document(manifest)?;
        let layers = manifest["layers"].as_array()?.iter().map(path_of).collect::<Option<Vec<_>>>()?;
        Some(json!([{"Config": path_of(&manifest["config"])?, "RepoTags": [name], "Layers": layers}]))
    }

    fn document(&self, descriptor: &Value) -> Option<Value> {
        serde_json::from_slice(self.blobs.get(descriptor["digest"].as_str()?)?).ok()
    }
}

/// The path of a blob in the archive.
fn path_of(descriptor: &Value) -> Option<String> {
    Some(format!("blobs/{}", descriptor["digest"].as_str()?.replace(':', "/")))
}

fn append(builder: &mut Builder<Vec<u8>>, path: &str, content: &[u8]) -> io::Result<()> {
    builder.append_data(&mut header(EntryType::Regular, content.len(), 0o644), path, content)
}
