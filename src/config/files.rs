//! The files of a configuration: the one that was named, and those that it includes.

use super::mistake::{MistakeLedger, SourcePlace, SourceText};
use super::yaml::{self, YamlNode};
use crate::policy::glob::Glob;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The largest file that is read, in bytes.
const LARGEST: u64 = 4 << 20;

/// The trees of the file and of what it includes, in order. Its path is made absolute here, and so is all that is
/// named in it: a relative one would mean something else to whoever looks from another directory, and compared with
/// paths of the host an empty one holds them all.
pub(super) fn read(path: &Path, ledger: &mut MistakeLedger) -> Vec<YamlNode> {
    let absolute = match std::path::absolute(path) {
        Ok(absolute) => absolute,
        Err(why) => {
            unreadable(path, &why.to_string(), ledger);
            return Vec::new();
        }
    };
    let path = absolute.as_path();
    let base = path.parent().unwrap_or(Path::new("/")).to_owned();
    match read_text(path) {
        Ok(text) => with_includes(SourceText { path: path.to_owned(), base, text }, ledger),
        Err(why) => {
            unreadable(path, &why, ledger);
            Vec::new()
        }
    }
}

/// The same, of a text in hand.
pub(super) fn from_text(text: &str, base: &Path, ledger: &mut MistakeLedger) -> Vec<YamlNode> {
    let path = PathBuf::from("policy");
    with_includes(SourceText { path, base: base.to_owned(), text: text.to_owned() }, ledger)
}

fn with_includes(source: SourceText, ledger: &mut MistakeLedger) -> Vec<YamlNode> {
    let Some(root) = tree(source, ledger) else { return Vec::new() };
    let mut paths = Vec::new();
    for item in root.items_of("include") {
        let found = item.text().map(|text| matching(&ledger.resolve(item.at, text)));
        match found {
            Some(Ok(found)) => paths.extend(found),
            Some(Err(why)) => {
                ledger.mistake(item.at, format!("nothing to include: {why}"), "correct the path");
            }
            None => {}
        }
    }
    let mut trees = vec![root];
    for path in paths {
        trees.extend(included(&path, ledger));
    }
    trees
}

fn included(path: &Path, ledger: &mut MistakeLedger) -> Option<YamlNode> {
    let known = |source: &SourceText| source.path == path;
    if let Some(file) = ledger.sources().iter().position(known) {
        let what = format!("{} is included twice", path.display());
        ledger.mistake(SourcePlace::whole(file), what, "include it once");
        return None;
    }
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    let text = read_text(path).map_err(|why| unreadable(path, &why, ledger)).ok()?;
    let root = tree(SourceText { path: path.to_owned(), base, text }, ledger)?;
    if let Some(include) = root.entries().iter().find(|entry| entry.key == "include") {
        ledger.mistake(include.at, "an included file includes", "include it from the first file");
    }
    Some(root)
}

fn tree(source: SourceText, ledger: &mut MistakeLedger) -> Option<YamlNode> {
    let text = source.text.clone();
    let file = ledger.add_source(source);
    yaml::read(file, &text, ledger)
}

fn unreadable(path: &Path, why: &str, ledger: &mut MistakeLedger) {
    let (path, base) = (path.to_owned(), PathBuf::new());
    let file = ledger.add_source(SourceText { path, base, text: String::new() });
    let what = format!("cannot be read: {why}");
    ledger.mistake(SourcePlace::whole(file), what, "check the path and its permissions");
}

/// The text of a file, if it is of no more than [`LARGEST`] bytes.
pub(super) fn read_text(path: &Path) -> Result<String, String> {
    let file = std::fs::File::open(path).map_err(|why| why.to_string())?;
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(|why| why.to_string())?;
    if text.len() as u64 > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST >> 20));
    }
    Ok(text)
}

/// The files that an include means, sorted by name; `*` in the last part is any run.
fn matching(path: &Path) -> Result<Vec<PathBuf>, String> {
    let name = path.file_name().and_then(|name| name.to_str()).ok_or("it names no file")?;
    let directory = path.parent().unwrap_or(Path::new(""));
    if directory.to_string_lossy().contains('*') {
        return Err("`*` may stand in the last part alone".into());
    }
    if !name.contains('*') {
        return Ok(vec![path.to_owned()]);
    }
    let pattern = Glob::new(name);
    let fits = |file: &PathBuf| {
        let name = file.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| !name.starts_with('.') && pattern.matches(name))
    };
    let listing = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let entries = std::fs::read_dir(listing).map_err(|why| why.to_string())?;
    let paths = entries.map(|entry| entry.map(|entry| directory.join(entry.file_name())));
    let paths: Result<Vec<PathBuf>, _> = paths.collect();
    let mut paths: Vec<PathBuf> = paths.map_err(|why| why.to_string())?;
    paths.retain(fits);
    paths.sort();
    if paths.is_empty() { Err("no file matches".into()) } else { Ok(paths) }
}
