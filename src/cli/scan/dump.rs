//! Scans a dump.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;

use super::Read;
use crate::cli::args::Scan;
use crate::cli::error::Error;
use crate::cli::notes::Complaints;
use crate::cli::record::redactor;
use crate::cli::recording::anonymous;
use crate::report::text::scan::lack;
use crate::scan::{Lacks, Look, Looked, MAX_EVENTS, MAX_PODS};
use crate::source::dump::{self, Form, Found, Opened, Place, Sink};
use crate::source::recorder::{Disclosure, Redactor, Resource};

/// Reads all files as one input, or a recording by itself.
pub fn read(args: &Scan) -> Result<Read, Error> {
    let redactor = args.anonymize.then(|| redactor(Disclosure::Anonymous)).transpose()?;
    let mut taker = Taker { look: Look::new(), complaints: Complaints::default(), redactor };
    for path in &args.files {
        let name = path.display().to_string();
        let failed = |cause| Error::Open { file: name.clone(), cause };
        if path != Path::new("-") && path.is_dir() {
            dump::read_folder(path, &mut taker).map_err(failed)?;
            continue;
        }
        let opened = Opened::new(open(path).map_err(failed)?);
        if opened.form == Form::Recording && args.files.len() == 1 {
            return recording(&name, opened, args);
        }
        dump::read(&name, opened, &mut taker);
    }
    taker.complaints.finish();
    finish(taker.look, &taker.complaints, args)
}

fn open(path: &Path) -> io::Result<Box<dyn io::Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path)?))
}

/// Takes what a dump contains.
struct Taker {
    look: Look,
    complaints: Complaints,
    /// Replaces names, if that is wanted.
    redactor: Option<Redactor>,
}

impl Sink for Taker {
    fn take(&mut self, place: &Place, found: Found) {
        let Self { look, complaints, .. } = self;
        match found {
            Found::Object(object) => match look.take(&object) {
                Ok(odd) => odd.iter().for_each(|odd| complaints.odd(place, &format!("used without {odd}"))),
                Err(oddity) => complaints.lost(place, &oddity.to_string()),
            },
            Found::Foreign => {}
            Found::Trouble(trouble) => complaints.tell(place, &trouble),
        }
    }

    fn form<'t>(&mut self, resource: &str, text: &'t str) -> serde_json::Result<Option<Cow<'t, str>>> {
        let Some(redactor) = &mut self.redactor else { return Ok(Some(Cow::Borrowed(text))) };
        let Some(resource) = Resource::ALL.into_iter().find(|known| known.plural() == resource) else {
            return Ok(None);
        };
        let object = serde_json::from_str(text)?;
        Ok(Some(Cow::Owned(redactor.redact(resource, &object).to_string())))
    }
}

fn finish(mut look: Look, complaints: &Complaints, args: &Scan) -> Result<Read, Error> {
    let at = look.newest().unwrap_or_default();
    look.show(at);
    look.settle_from_input(at);
    let looked = look.finish(at);
    if looked.counts.pods == 0 {
        let names: Vec<String> = args.files.iter().map(|file| file.display().to_string()).collect();
        return Err(Error::NothingToScan(names.join(", ")));
    }
    let namespaces = match args.scope.namespace.as_slice() {
        [only] => format!("-n {only}"),
        _ => "-A".to_owned(),
    };
    let lacks = Lacks::from_counts(&looked.counts).0.into_iter().map(|one| lack(one, &namespaces));
    let mut lacks: Vec<String> = lacks.collect();
    // The command to get everything is the same for each of them.
    lacks.iter_mut().rev().skip(1).for_each(|text| {
        if let Some((words, _)) = text.split_once(" All that is needed: ") {
            *text = words.to_owned();
        }
    });
    if looked.counts.left_out > 0 {
        lacks.push(format!(
            "No more than {MAX_PODS} pods and {MAX_EVENTS} events are looked at: name namespaces with -n."
        ));
    }
    let complete = !complaints.lossy() && looked.counts.left_out == 0;
    Ok(Read { looked, lacks, complete, milder: 0 })
}

/// A recording contains more than a dump: the findings open at its end.
fn recording(name: &str, opened: Opened<'_>, args: &Scan) -> Result<Read, Error> {
    let lines = if args.anonymize { anonymous(opened.reader)? } else { opened.reader };
    let (looked, replayed) = Looked::at_the_end_of(lines);
    let file = name.to_owned();
    if replayed.observations == 0 {
        return Err(Error::NoLines(file));
    }
    let mut complaints = Complaints::default();
    if let Some(error) = &replayed.error {
        complaints.lost(&Place { file: file.clone(), line: error.after }, &error.source.to_string());
    }
    if replayed.skipped > 0 {
        let place = Place { file: file.clone(), line: 0 };
        complaints.lost(&place, &format!("{} lines could not be used; probehound replay says which", replayed.skipped));
    }
    let named = if args.anonymize { "FILE" } else { &file };
    let lacks =
        vec![format!("It is a recording, and this is how it ends; probehound replay {named} tells what happened.")];
    Ok(Read { looked, lacks, complete: !complaints.lossy(), milder: 0 })
}
