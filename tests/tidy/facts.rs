//! The facts of `tests/fixtures/fields.txt`, and what the source declares, in the same words.

use super::source;
use std::collections::{BTreeMap, BTreeSet};

/// One line of the inventory: what some version of the API schema says that a request may have.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) operation: String,
    /// `endpoint`, `path`, `query`, `header` or `body`.
    pub(crate) place: String,
    pub(crate) name: String,
    pub(crate) kind: String,
}

impl Fact {
    pub(crate) fn of(line: &str) -> Self {
        let [method, path, operation, place, name, kind, _versions] =
            line.split(' ').map(str::to_owned).collect::<Vec<_>>().try_into().expect(line);
        Self { method, path, operation, place, name, kind }
    }

    /// As it stands in the tables of this test.
    pub(crate) fn short(&self) -> String {
        format!("{} {} {}", self.operation, self.place, self.name)
    }
}

/// All of them.
pub(crate) fn facts() -> Vec<Fact> {
    let text = include_str!("../fixtures/fields.txt");
    let facts: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).map(Fact::of).collect();
    assert!(facts.len() > 1300, "{} facts", facts.len());
    facts
}

/// A path template without the names of its parameters.
pub(crate) fn shape(path: &str) -> String {
    let parts = path.split('{').enumerate();
    parts
        .map(|(n, part)| if n == 0 { part } else { part.split_once('}').unwrap().1 })
        .collect::<Vec<_>>()
        .join("{}")
}

/// What the bodies in `src/docker/body` declare: for each kind of body, the path of every field.
pub(crate) fn declared() -> BTreeMap<String, BTreeSet<String>> {
    let sources: Vec<_> = source::sources()
        .into_iter()
        .filter(|(name, _)| name.starts_with("src/docker/body"))
        .collect();
    let declarations = Declarations::read(sources.iter().map(|(_, text)| text.as_str()));
    let (_, kinds) = sources.iter().find(|(name, _)| name.ends_with("/docker/body.rs")).unwrap();
    let kinds = kinds.split_once("\nkinds! {\n").unwrap().1.split_once("\n}").unwrap().0;
    let kind = |line: &str| {
        let (kind, of) = line.trim().strip_suffix("),")?.split_once('(')?;
        let mut paths = BTreeSet::new();
        declarations.walk(of, "", &mut paths);
        Some((kind.to_owned(), paths))
    };
    source::code(kinds).map(|line| kind(line).expect(line)).collect()
}

/// The objects by name, each with its keys and their types; and the short names of types.
struct Declarations {
    objects: BTreeMap<String, Vec<(String, String)>>,
    short: BTreeMap<String, String>,
}

impl Declarations {
    fn read<'t>(sources: impl Iterator<Item = &'t str>) -> Self {
        let (mut objects, mut short) = (BTreeMap::new(), BTreeMap::new());
        for text in sources {
            for line in source::code(text) {
                let line = line.strip_prefix("pub ").unwrap_or(line);
                if let Some((name, of)) =
                    line.strip_prefix("type ").and_then(|l| l.split_once(" = "))
                {
                    short.insert(bare(name).to_owned(), of.trim_end_matches(';').to_owned());
                }
            }
            for block in text.split("\nbody! {\n").skip(1) {
                let block = block.split_once("\n}").unwrap().0;
                let mut lines = source::code(block).filter(|line| !line.trim().is_empty());
                while let Some(head) = lines.next() {
                    let name = bare(head.trim().strip_suffix(" {").expect(head)).to_owned();
                    let fields =
                        lines.by_ref().take_while(|line| line.trim() != "}").map(field).collect();
                    assert!(objects.insert(name, fields).is_none(), "two objects called {head}");
                }
            }
        }
        Self { objects, short }
    }

    /// Adds the path of every field below a type that stands at a path.
    fn walk(&self, of: &str, at: &str, paths: &mut BTreeSet<String>) {
        assert!(at.len() < 1000, "{at} contains itself");
        let inner = |outer: &str| of.strip_prefix(outer).and_then(|rest| rest.strip_suffix('>'));
        for outer in ["Field<", "Inert<", "Dropped<", "Option<", "Box<"] {
            if let Some(of) = inner(outer) {
                return self.walk(of, at, paths);
            }
        }
        if let Some(of) = inner("Vec<") {
            return self.walk(of, &format!("{at}[]"), paths);
        }
        if let Some(of) = inner("Map<'a, ") {
            return self.walk(of, &format!("{at}{{}}"), paths);
        }
        let name = bare(of);
        if let Some(of) = self.short.get(name) {
            return self.walk(of, at, paths);
        }
        let Some(fields) = self.objects.get(name) else {
            let plain = ["Cow", "bool", "i64", "u64", "u32", "u16", "Ratio", "Empty", "Words"];
            assert!(plain.contains(&name), "{of}, at {at}: what is in it?");
            return;
        };
        for (key, of) in fields {
            if key.is_empty() {
                self.walk(of, at, paths);
                continue;
            }
            let at = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            self.walk(of, &at, paths);
            paths.insert(at);
        }
    }
}

/// The key and the type of `name: Type<'a> = "Key",`; what `..part: Type<'a>,` embeds has no key.
fn field(line: &str) -> (String, String) {
    let (name, rest) = line.split_once(": ").expect(line);
    if name.trim().starts_with("..") {
        return (String::new(), rest.trim_end_matches(',').to_owned());
    }
    let (of, key) = rest.split_once(" = \"").expect(line);
    (key.split_once('"').expect(line).0.to_owned(), of.to_owned())
}

/// A type's own name, without module and lifetime.
fn bare(of: &str) -> &str {
    let name = of.split('<').next().unwrap();
    name.rsplit("::").next().unwrap()
}
