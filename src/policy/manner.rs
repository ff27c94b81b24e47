//! In which manner a role may use a verb that it grants: what of a delete and of an exec may be asked for. It holds for
//! roles that no profile judges, too.

use super::glob::{Glob, MAX_STARS};

/// Most commands, variables and directories that a role lists, of each.
pub const MAX_LISTED: usize = 64;

/// The longest word in which a star stands for anything, in bytes.
const WORD_MAX: usize = 4096;

/// Programs that run what they are told.
const RUNNERS: [&str; 28] = [
    "ash", "awk", "bash", "busybox", "chroot", "dash", "env", "find", "ksh", "lua", "nice", "node",
    "nohup", "nsenter", "perl", "php", "psql", "python", "python3", "ruby", "setsid", "sh", "ssh",
    "su", "sudo", "timeout", "xargs", "zsh",
];

/// Any words, at the end of a template.
const REST: &str = "{rest}";

/// What of the removal of a container may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletes {
    /// That it is killed first (`force`).
    pub force: bool,
    /// That its anonymous volumes go along (`v`).
    pub volumes: bool,
    /// That a link to it goes, and not itself (`link`).
    pub link: bool,
}

impl Default for Deletes {
    fn default() -> Self {
        Self { force: true, volumes: true, link: true }
    }
}

/// What of an exec may be asked for. What is `None` is not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execs {
    /// As whom it may run; empty is the container's own user.
    pub users: Option<Vec<String>>,
    /// What may run.
    pub commands: Option<Vec<CommandTemplate>>,
    /// Names of variables that may be set.
    pub env: Option<Vec<Glob>>,
    /// Where it may begin, beside where the container's own process did.
    pub working_dir: Option<Vec<Glob>>,
    /// Whether it may be spoken to.
    pub stdin: bool,
    /// Whether it may have a terminal.
    pub tty: bool,
    /// Whether it may be privileged.
    pub privileged: bool,
}

impl Execs {
    /// Whether whom it may run as is listed, with the container's own user among them.
    #[must_use]
    pub fn as_of_image(&self) -> bool {
        self.users.as_ref().is_some_and(|users| users.iter().any(String::is_empty))
    }
}

impl Default for Execs {
    fn default() -> Self {
        Self {
            users: None,
            commands: None,
            env: None,
            working_dir: None,
            stdin: true,
            tty: true,
            privileged: true,
        }
    }
}

/// A command that may be run, word by word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandTemplate {
    words: Vec<Glob>,
    /// Whether any further words may follow.
    rest: bool,
}

impl CommandTemplate {
    /// Reads `pg_dump -U * {rest}`: words with a blank between them, `*` any run within one but `/`, `**` any.
    ///
    /// # Errors
    /// What is to be written instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (text, rest) = match text.strip_suffix(REST).map(|text| text.strip_suffix(' ')) {
            Some(Some(words)) => (words, true),
            Some(None) => return Err(format!("write a command before {REST}")),
            None => (text, false),
        };
        let words: Vec<&str> = text.split(' ').collect();
        if words.iter().any(|word| word.is_empty()) {
            return Err("write words with one blank between them, none before or behind".into());
        }
        if text.contains(['{', '}']) {
            return Err(format!(
                "write {REST} as the last word, for any that follow, and no other braces"
            ));
        }
        if text.bytes().filter(|byte| *byte == b'*').count() > MAX_STARS {
            return Err(format!("write {MAX_STARS} stars at most"));
        }
        Ok(Self { words: words.into_iter().map(Glob::new).collect(), rest })
    }

    /// Whether this is the command. A word of options is none that a star at a word's beginning stands for.
    #[must_use]
    pub fn matches<T: AsRef<str>>(&self, words: &[T]) -> bool {
        let enough = match self.rest {
            true => words.len() >= self.words.len(),
            false => words.len() == self.words.len(),
        };
        let is = |(pattern, word): (&Glob, &T)| {
            let word = word.as_ref();
            let option = pattern.as_str().starts_with('*') && word.starts_with('-');
            !option && fits(pattern, word)
        };
        enough && self.words.iter().zip(words).all(is)
    }

    /// Whether it is one of the best known programs that run what they are told, and may be told anything: by its
    /// arguments, or by its input where it has none that says what to do.
    #[must_use]
    pub fn is_open_shell(&self) -> bool {
        let mut words = self.words.iter().map(Glob::as_str);
        let name = words.next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let told = words.clone().any(|word| word != "-c" && word.starts_with(|c| c != '-'));
        let open = self.rest || words.any(|word| word.contains('*'));
        name.contains('*') || RUNNERS.contains(&name) && (open || !told)
    }
}

/// Whether a word is one of a pattern. `..` would lead out of what a pattern holds together, `.` and nothing to the
/// directory that holds it: what a star stands for is written plainly.
#[must_use]
pub fn fits(pattern: &Glob, word: &str) -> bool {
    let plain = || {
        let dots = parts(word).any(|part| matches!(part, "." | ".."));
        let empty = |text| parts(text).filter(|part| part.is_empty()).count();
        !dots && empty(word) <= empty(pattern.as_str())
    };
    pattern.as_str() == word || word.len() <= WORD_MAX && pattern.matches(word) && plain()
}

/// The parts of a path, from where it begins.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.strip_prefix('/').unwrap_or(text).split('/')
}

impl std::fmt::Display for CommandTemplate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words: Vec<&str> = self.words.iter().map(Glob::as_str).collect();
        f.write_str(&words.join(" "))?;
        if self.rest { write!(f, " {REST}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::CommandTemplate;

    fn is(template: &str, words: &[&str]) -> bool {
        CommandTemplate::parse(template).unwrap().matches(words)
    }

    #[test]
    fn words_are_compared_whole() {
        assert!(is("pg_dump -U app", &["pg_dump", "-U", "app"]));
        assert!(!is("pg_dump -U app", &["pg_dump", "-U", "app", "-f", "/x"]));
        assert!(!is("pg_dump -U app", &["pg_dump", "-U app"]), "one word is not two");
        assert!(!is("pg_dump", &["pg_dump "]));
        assert!(!is("pg_dump", &[]));
        assert!(!is("pg_dump *", &["pg_dump"]));
    }

    #[test]
    fn stars_stand_for_a_part_of_one_word_and_never_for_an_option() {
        assert!(is("cat *", &["cat", "x"]));
        assert!(!is("cat *", &["cat", "/etc/shadow"]));
        assert!(is("cat /srv/**", &["cat", "/srv/a/b"]));
        assert!(is("cat **", &["cat", "/etc/x"]));
        assert!(!is("cat **", &["cat", "--show-all"]));
        assert!(!is("cat *", &["cat", "x", "y"]));
        assert!(is("pg_dump --table=*", &["pg_dump", "--table=a"]));
        assert!(!is("cat *", &["cat", &"x".repeat(5000)]));
        for word in ["/srv/../etc/shadow", "/srv/./a", "/srv//a", "/srv/", "/srv/a/"] {
            assert!(!is("cat /srv/**", &["cat", word]), "{word}");
        }
        assert!(!is("rm -r *", &["rm", "-r", ""]) && !is("rm -r *", &["rm", "-r", ".."]));
        assert!(is("cat ../x", &["cat", "../x"]), "as it is listed");
    }

    #[test]
    fn the_rest_is_any_words_or_none() {
        for words in [&["tool", "run"][..], &["tool", "run", "-x", "/y"]] {
            assert!(is("tool run {rest}", words), "{words:?}");
        }
        assert!(!is("tool run {rest}", &["tool"]));
    }

    #[test]
    fn what_is_no_template_is_told() {
        for text in
            ["", " a", "a  b", "a ", "{rest}", "a{rest}", "a {rest} b", "a {1}", "{rest} {rest}"]
        {
            assert!(CommandTemplate::parse(text).is_err(), "{text:?}");
        }
        assert!(CommandTemplate::parse(&"*".repeat(17)).is_err());
        assert_eq!(CommandTemplate::parse("a * {rest}").unwrap().to_string(), "a * {rest}");
    }

    #[test]
    fn shells_are_known_by_their_names() {
        for (text, open) in [
            ("sh -c {rest}", true),
            ("/bin/bash *", true),
            ("sh {rest}", true),
            ("/bin/* x", true),
            ("env {rest}", true),
            ("sh /srv/backup.sh", false),
            ("sh -c id", false),
            ("sh", true),
            ("bash -l", true),
            ("/usr/bin/python3 {rest}", true),
            ("pg_dump {rest}", false),
        ] {
            assert_eq!(CommandTemplate::parse(text).unwrap().is_open_shell(), open, "{text}");
        }
    }
}
