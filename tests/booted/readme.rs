//! The commands of packaging/systemd/README.md, as they stand there.

use std::fs;
use std::path::Path;

/// Every block of commands below a heading (`""` is what stands before the first), in order.
pub(crate) fn commands(heading: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd/README.md");
    blocks(&fs::read_to_string(file).unwrap(), heading)
}

fn blocks(text: &str, heading: &str) -> Vec<String> {
    let (mut here, mut block, mut all) = (String::new(), None::<String>, Vec::new());
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            here = title.to_owned();
        }
        match (line.trim(), block.take()) {
            ("```sh", None) if here == heading => block = Some(String::new()),
            ("```", Some(whole)) => all.push(whole),
            (command, Some(whole)) => block = Some(format!("{whole}{command}\n")),
            (_, None) => {}
        }
    }
    assert!(!all.is_empty(), "no commands below {heading:?}");
    all
}

/// The drop-in for an authority whose keys have a passphrase.
pub(crate) fn passphrase() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/systemd/README.md");
    let text = fs::read_to_string(file).unwrap();
    let (_, rest) = text.split_once("```ini\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}
