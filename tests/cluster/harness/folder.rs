//! A folder for the files of one cluster, removed when the run is over.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// Removes the folder when this process is gone, unless it is to be kept. Anything that still writes into
/// it is being killed at the same moment.
const JANITOR: &str = "trap '' HUP INT TERM
echo ready
read -r word
[ \"$word\" = keep ] || rm -rf \"$1\" || { sleep 1; rm -rf \"$1\"; }";

/// A folder that is removed with the value, or with the process.
pub struct Folder {
    path: PathBuf,
    janitor: Mutex<(Child, Option<ChildStdin>)>,
}

impl Folder {
    /// A new, empty folder, with `name` in its name.
    pub fn new(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let unique = format!("{name}-{}-{count}", std::process::id());
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique);
        std::fs::create_dir_all(&path).expect("a folder can be made");
        let mut janitor = Command::new("sh")
            .args(["-c", JANITOR, "janitor"])
            .arg(&path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell starts");
        let pipe = janitor.stdin.take();
        // From here on no signal ends it.
        let mut ready = String::new();
        BufReader::new(janitor.stdout.take().expect("piped")).read_line(&mut ready).expect("a pipe can be read");
        Self { path, janitor: Mutex::new((janitor, pipe)) }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file into it.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.file(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    }

    /// Keeps it for inspection.
    pub fn keep(&self) {
        let mut janitor = self.janitor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut pipe) = janitor.1.take() {
            drop(pipe.write_all(b"keep\n"));
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let janitor = self.janitor.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(janitor.1.take());
        drop(janitor.0.wait());
    }
}
