//! No module imports one above it, and no two files import each other: read from the source.
//!
//! What a file's own tests import does not count: tests may use anything.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The modules of the crate, lowest first; each may import those before it.
const FLOORS: [&str; 20] = [
    "text",
    "time",
    "kubelet",
    "template",
    "finding",
    "guard",
    "diagnosis",
    "engine",
    "source",
    "replay",
    "scan",
    "report",
    "lint",
    "runtime",
    "findings",
    "metrics",
    "delivery",
    "config",
    "operator",
    "cli",
];

#[test]
fn no_module_imports_one_above_it() {
    let sources = Sources::read();
    let floor = |module: &str| FLOORS.iter().position(|floor| *floor == module);
    let mut upward = BTreeSet::new();
    for (from, imports) in &sources.imports {
        let own = first(from);
        assert!(floor(own).is_some(), "{own} has no floor: add it to FLOORS");
        for to in imports.iter().map(|to| first(to)).filter(|to| floor(to) > floor(own)) {
            upward.insert(format!("{from} imports {to}"));
        }
    }
    assert!(upward.is_empty(), "imports of what is above: {upward:#?}");
}

#[test]
fn no_files_import_each_other() {
    let sources = Sources::read();
    let circles: Vec<_> = sources.imports.keys().filter_map(|file| sources.circle(file)).collect();
    assert!(circles.is_empty(), "files in a circle: {circles:#?}");
}

#[test]
fn imports_are_read() {
    let sources = Sources::read();
    let imports = |from: &str, to: &str| sources.imports[from].contains(to);
    assert!(imports("engine::effects::never_ready", "engine::effects::probe_cannot_run"), "by super");
    assert!(imports("report::outline::digest", "report::wording"), "by crate, in braces");
    assert!(imports("engine::intake", "template"), "by a path without use");
}

/// The files of the crate as modules, and what each imports.
struct Sources {
    imports: BTreeMap<String, BTreeSet<String>>,
}

impl Sources {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        collect(&root, &mut files);
        let texts: BTreeMap<String, String> = files
            .iter()
            .filter_map(|file| {
                let module = module_of(file.strip_prefix(&root).expect("it is below"));
                let text = std::fs::read_to_string(file).expect("a source file");
                (!is_of_tests(&module) && !matches!(&*module, "lib" | "main")).then_some((module, text))
            })
            .collect();
        let imports = texts.iter().map(|(module, text)| (module.clone(), imports_of(module, text, &texts))).collect();
        Self { imports }
    }

    /// The shortest way from a file back to itself, if there is one.
    fn circle(&self, start: &str) -> Option<Vec<String>> {
        let mut seen = BTreeSet::new();
        let mut ways = std::collections::VecDeque::from([vec![start.to_owned()]]);
        while let Some(way) = ways.pop_front() {
            for next in &self.imports[way.last().expect("it begins somewhere")] {
                if next == start {
                    return Some(way);
                }
                if seen.insert(next.clone()) {
                    ways.push_back(way.iter().chain([next]).cloned().collect());
                }
            }
        }
        None
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// `report::slack` for `report/slack/mod.rs`.
fn module_of(file: &Path) -> String {
    let path = file.with_extension("");
    let parts: Vec<_> = path.iter().map(|part| part.to_str().expect("a name of ours")).collect();
    let parts = parts.strip_suffix(&["mod"]).unwrap_or(&parts);
    parts.join("::")
}

fn is_of_tests(module: &str) -> bool {
    module.split("::").any(|part| part == "tests" || part == "testing")
}

fn first(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

/// The files that a file imports by `use`, or names in a path.
fn imports_of(module: &str, text: &str, files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let text = text.split("\nmod tests {").next().unwrap_or_default();
    let code: String =
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join(" ");
    let file = |path: &str| {
        let mut parts: Vec<_> = absolute(module, path)?;
        while !parts.is_empty() && !files.contains_key(&parts.join("::")) {
            parts.pop();
        }
        Some(parts.join("::")).filter(|file| !file.is_empty() && file != module)
    };
    paths_in(&code).iter().filter_map(|path| file(path)).collect()
}

/// All paths that begin with `crate` or `super`; braces are expanded.
fn paths_in(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let begins = !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            if begins {
                take_path(&code[at..], "", &mut paths);
            }
        }
    }
    paths
}

/// Parses one path, and everything in its braces; returns the rest.
fn take_path<'a>(code: &'a str, before: &str, paths: &mut Vec<String>) -> &'a str {
    let code = code.trim_start();
    let end = code.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | ':')).unwrap_or(code.len());
    let path = format!("{before}{}", &code[..end]);
    let rest = &code[end..];
    let Some(mut inner) = rest.strip_prefix('{').filter(|_| path.ends_with("::")) else {
        paths.push(path);
        return rest;
    };
    loop {
        inner = take_path(inner, &path, paths).trim_start();
        // `as` and the name that follows.
        inner = inner.trim_start_matches(|c: char| c.is_alphanumeric() || c.is_whitespace() || c == '_' || c == '*');
        match inner.strip_prefix(',') {
            Some(next) if !next.trim_start().starts_with('}') => inner = next,
            Some(next) => return next.trim_start().strip_prefix('}').unwrap_or_default(),
            None => return inner.strip_prefix('}').unwrap_or_default(),
        }
    }
}

/// A path from the root of the crate.
fn absolute<'a>(module: &'a str, path: &'a str) -> Option<Vec<&'a str>> {
    let mut parts: Vec<_> = path.split("::").filter(|part| !matches!(*part, "" | "self" | "*")).collect();
    if parts.first() == Some(&"crate") {
        return Some(parts.split_off(1));
    }
    let up = parts.iter().take_while(|part| **part == "super").count();
    let own: Vec<_> = module.split("::").collect();
    let mut from = own.get(..own.len().checked_sub(up)?)?.to_vec();
    from.extend(parts.split_off(up));
    Some(from)
}
