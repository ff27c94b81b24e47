//! Secrets that travel in command lines. What was run in a container matters to a reviewer; the
//! password that was passed with it does not, and a log is read by more people than may know it.
//! Best effort by shape: it masks what looks like a secret and cannot know what does not.

mod shapes;

use shapes::{names_a_secret, shapes};

/// Bytes kept of an argument vector.
pub const ARGV_MAX: usize = 4096;
/// Bytes looked at; what is over is counted as left out.
const SCAN_MAX: usize = 64 * 1024;
const MASK: &str = "***";

/// Query parameters that carry values of environment, build arguments or labels (`ImageBuild`,
/// `ImageCommit`, `ImageCreate` in moby's api/swagger.yaml).
const SECRET_PARAMETERS: [&str; 3] = ["buildargs", "changes", "labels"];

/// Options that begin with `-p` and are no password.
const HARMLESS: [&str; 9] =
    ["-print", "-print0", "-printf", "-perm", "-path", "-prune", "-pv", "-pr", "-pR"];

/// An argument vector as it may be logged: secrets masked, [`ARGV_MAX`] bytes at most. Where it
/// was cut, the last item is `…` and the number of arguments left out or cut.
#[must_use]
pub fn argv<S: AsRef<str>>(arguments: &[S]) -> Vec<String> {
    let (mut scan, mut kept) = (Scan::default(), Vec::new());
    let (mut seen, mut used) = (0_usize, 0_usize);
    for (index, argument) in arguments.iter().map(AsRef::as_ref).enumerate() {
        seen = seen.saturating_add(argument.len());
        let masked = if seen > SCAN_MAX { String::new() } else { scan.argument(argument) };
        used = used.saturating_add(masked.len()).saturating_add(3); // quotes and comma
        if seen > SCAN_MAX || used > ARGV_MAX {
            kept.push(format!("…{}", arguments.len().saturating_sub(index)));
            return kept;
        }
        kept.push(masked);
    }
    kept
}

/// A query as it may be logged: build arguments, labels and everything that looks like a secret masked,
/// the rest byte for byte as it came.
#[must_use]
pub fn query(query: &str) -> String {
    let pairs: Vec<String> = query.split('&').map(pair).collect();
    pairs.join("&")
}

/// A query with the values masked of those keys that an endpoint does not have: clients that send all twice put
/// environment and secrets there.
#[must_use]
pub fn foreign(query: &str, has: impl Fn(&str) -> bool) -> String {
    let masked = |pair: &str| match pair.split_once('=') {
        Some((key, value)) if !value.is_empty() && !has(&decoded(key)) => format!("{key}={MASK}"),
        _ => pair.to_owned(),
    };
    query.split('&').map(masked).collect::<Vec<_>>().join("&")
}

fn pair(pair: &str) -> String {
    let Some((key, value)) = pair.split_once('=') else { return shapes(pair) };
    let name = decoded(key).to_ascii_lowercase();
    let text = decoded(value);
    let secret = SECRET_PARAMETERS.contains(&name.as_str()) || names_a_secret(&name).is_some();
    if secret || Scan::default().argument(&text) != text {
        format!("{key}={MASK}")
    } else {
        pair.to_owned()
    }
}

/// Percent-decoded as far as it goes; only ever looked at, never used.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.get(..2).filter(|_| first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(byte.unwrap_or(if first == b'+' { b' ' } else { first }));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What the words so far say about the next one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum NextWord {
    /// Nothing.
    #[default]
    Plain,
    /// It is the value of an option, unless it is an option itself.
    OptionValue,
    /// It is a secret.
    Secret,
    /// It is `user:password`.
    UserPassword,
    /// The word before named a secret; if this is a colon, the one after is it.
    PerhapsColon,
}

#[derive(Debug, Default)]
struct Scan {
    next: NextWord,
    /// A program was named that takes a password after `-p`, `-a` or `-u`.
    password_option: Option<&'static str>,
}

impl Scan {
    /// One argument; it may be a whole shell script.
    fn argument(&mut self, argument: &str) -> String {
        if argument.contains("-----BEGIN") && argument.contains("PRIVATE KEY") {
            return MASK.to_owned();
        }
        let awaited = matches!(self.next, NextWord::OptionValue | NextWord::Secret);
        if awaited && !argument.starts_with('-') && !is_scheme(argument) {
            self.next = NextWord::Plain;
            return MASK.to_owned();
        }
        let (mut masked, mut rest, mut quote) = (String::new(), argument, None);
        while let Some(first) = rest.chars().next() {
            if is_delimiter(first) {
                quote = matches!(first, '"' | '\'' | '`').then_some(first);
                masked.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
                continue;
            }
            let end = self.word_end(rest, quote, masked.is_empty());
            let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            self.word(word, &mut masked);
            rest = after;
        }
        masked
    }

    /// A value in quotes goes to the closing one, that of an option to the end of the argument.
    fn word_end(&self, rest: &str, quote: Option<char>, at_start: bool) -> usize {
        let whole = rest.len();
        if at_start && rest.starts_with('-') && rest.contains('=') {
            let name = rest.split('=').next().unwrap_or_default();
            if !name.contains(is_delimiter) && names_a_secret(name).is_some() {
                return whole;
            }
        }
        match (self.next, quote) {
            (NextWord::OptionValue | NextWord::Secret, Some(quote)) if !is_scheme(rest) => {
                rest.find(quote).unwrap_or(whole)
            }
            _ => rest.find(is_delimiter).unwrap_or(whole),
        }
    }

    fn word(&mut self, word: &str, masked: &mut String) {
        let next = std::mem::take(&mut self.next);
        match next {
            NextWord::OptionValue if word.starts_with('-') => self.plain(word, masked),
            NextWord::OptionValue | NextWord::Secret
                if matches!(word, ":" | "=") || is_scheme(word) =>
            {
                masked.push_str(word);
                self.next = NextWord::Secret;
            }
            NextWord::OptionValue | NextWord::Secret => masked.push_str(MASK),
            NextWord::UserPassword => match word.split_once(':') {
                Some((user, _)) => masked.extend([user, ":", MASK]),
                None => self.plain(word, masked),
            },
            NextWord::PerhapsColon if matches!(word, ":" | "=") => {
                masked.push_str(word);
                self.next = NextWord::Secret;
            }
            NextWord::PerhapsColon if word.starts_with([':', '=']) => masked.push_str(MASK),
            NextWord::PerhapsColon | NextWord::Plain => self.plain(word, masked),
        }
    }

    fn plain(&mut self, word: &str, masked: &mut String) {
        self.password_option = password_option(word).or(self.password_option);
        if let Some(after) = names_a_secret(word) {
            return self.named(word, after, masked);
        }
        if is_scheme(word) {
            self.next = NextWord::Secret;
        } else if Some(word) == self.password_option {
            self.next = if word == "-u" { NextWord::UserPassword } else { NextWord::OptionValue };
        } else if is_short_password(word) {
            return masked.push_str("-p***");
        }
        masked.push_str(&shapes(word));
    }

    /// A word that names a secret, and may hold it.
    fn named(&mut self, word: &str, after: usize, masked: &mut String) {
        let (name, rest) = word.split_at_checked(after).unwrap_or((word, ""));
        let value =
            rest.find(['=', ':']).and_then(|at| rest.split_at_checked(at.saturating_add(1)));
        match value {
            Some((_, "")) => {
                masked.push_str(word);
                self.next = NextWord::Secret;
            }
            Some((sign, _)) => masked.extend([shapes(name).as_str(), sign, MASK]),
            None => {
                masked.push_str(&shapes(word));
                let option = word.starts_with('-');
                self.next = if option { NextWord::OptionValue } else { NextWord::PerhapsColon };
            }
        }
    }
}

fn is_delimiter(c: char) -> bool {
    c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ';' | '|' | '&' | '(' | ')')
}

fn is_scheme(word: &str) -> bool {
    let word = word.split(char::is_whitespace).next().unwrap_or_default();
    ["bearer", "basic", "digest"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

fn password_option(program: &str) -> Option<&'static str> {
    match program.rsplit('/').next().unwrap_or_default() {
        "sshpass" | "login" | "mongo" | "mongosh" => Some("-p"),
        "redis-cli" => Some("-a"),
        "curl" => Some("-u"),
        _ => None,
    }
}

/// `-pSECRET`, as mysql takes it; not a port, not a number.
fn is_short_password(word: &str) -> bool {
    let value = word.strip_prefix("-p").unwrap_or_default();
    let number = value.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | '-' | '/'));
    !value.is_empty() && !number && !HARMLESS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_masked() {
        const CASES: [(&[&str], &[&str]); 24] = [
            (&["x", "--password=hush hush", "y"], &["x", "--password=***", "y"]),
            (&["x", "--password", "hush hush", "y"], &["x", "--password", "***", "y"]),
            (&["x", "--token", "--verbose"], &["x", "--token", "--verbose"]),
            (&["mysql", "-uroot", "-phush"], &["mysql", "-uroot", "-p***"]),
            (&["sshpass", "-p", "hush", "ssh"], &["sshpass", "-p", "***", "ssh"]),
            (&["curl", "-u", "me:hush", "h"], &["curl", "-u", "me:***", "h"]),
            (&["curl", "-u", "--password=hush"], &["curl", "-u", "--password=***"]),
            (&["env", "DB_TOKEN=hush", "run"], &["env", "DB_TOKEN=***", "run"]),
            (&["sh", "-c", "TOKEN=hush run -x"], &["sh", "-c", "TOKEN=*** run -x"]),
            (&["export PASSWORD='a b;c'; run"], &["export PASSWORD='***'; run"]),
            (&["-H", "Authorization: Bearer hush"], &["-H", "Authorization: Bearer ***"]),
            (&["-H", "X-Auth: Basic aHVzaA=="], &["-H", "X-Auth: Basic ***"]),
            (&[r#"{"token": "hush", "a": "b"}"#], &[r#"{"token": "***", "a": "b"}"#]),
            (&[r#"{"secret" : "hu sh"}"#], &[r#"{"secret" : "***"}"#]),
            (&["git", "clone", "https://me:hush@h/x"], &["git", "clone", "https://me:***@h/x"]),
            (&["https://h/?access_token=hush&a=b"], &["https://h/?access_token=***&a=b"]),
            (&["AKIAABCDEFGHIJKLMNOP"], &["AKIA***"]),
            (&["x=ghp_0123456789abcdefghij,y"], &["x=ghp_***,y"]),
            (&["glpat-0123456789abcdef"], &["glpat-***"]),
            (&["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_-"], &["eyJ***"]),
            (&["AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/b="], &["AWS_SECRET_ACCESS_KEY=***"]),
            (&["-----BEGIN EC PRIVATE KEY-----\nMHc"], &["***"]),
            (&["--api-key:hush"], &["--api-key:***"]),
            (&["KEY=bG9uZyBhbmQgcmFuZG9tIGVub3VnaA=="], &["KEY=***"]),
        ];
        for (given, expected) in CASES {
            assert_eq!(argv(given), expected, "{given:?}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        const CASES: [&[&str]; 8] = [
            &["find", "/", "-print", "-perm", "0644"],
            &["run", "-p", "8080:80", "-p8080:80"],
            &["mkdir", "-p", "/srv/x"],
            &["--token-file=/run/secrets/t", "PASSWORD_FILE=/x"],
            &["sh", "-c", "echo hi; ls -l | wc & (true)"],
            &["https://example.com/a?b=c", "https://me@example.com/"],
            &["keyboard", "monkey=business", "größe=容器"],
            &["task-1", "desk-0123456789012345678901234"],
        ];
        for given in CASES {
            assert_eq!(argv(given), given);
        }
    }

    #[test]
    fn a_long_vector_is_cut_and_says_so() {
        let given = vec!["x".repeat(1000); 10];
        let kept = argv(&given);
        assert_eq!(kept.len(), 5);
        assert_eq!(kept.last().unwrap(), "…6");
        assert_eq!(argv(&["x".repeat(100_000)]), ["…1"]);
    }

    #[test]
    fn queries_keep_their_bytes_but_for_secrets() {
        assert_eq!(query("t=a%2Fb&q=1&&x"), "t=a%2Fb&q=1&&x");
        assert_eq!(query("buildargs=%7B%22A%22%3A%22b%22%7D&t=a"), "buildargs=***&t=a");
        assert_eq!(query("build%61rgs=x"), "build%61rgs=***");
        assert_eq!(query("remote=https%3A%2F%2Fme%3Ahush%40h%2Fx"), "remote=***");
        assert_eq!(query("changes=ENV+A%3Db"), "changes=***");
    }

    proptest! {
        #[test]
        fn any_argument_can_be_scanned(arguments in proptest::collection::vec(any::<String>(), 0..8)) {
            let kept = argv(&arguments);
            prop_assert!(kept.len() <= arguments.len());
            prop_assert!(kept.iter().map(String::len).sum::<usize>() <= ARGV_MAX + 16);
        }

        #[test]
        fn the_value_of_a_password_option_never_shows(secret in "[!-~][ -~]{7,20}") {
            prop_assume!(!secret.starts_with('-'));
            let shown = argv(&["x".to_owned(), format!("--password={secret}")]).join(" ");
            prop_assert!(!shown.contains(&secret));
            let shown = argv(&["x".to_owned(), "--password".to_owned(), secret.clone()]).join(" ");
            prop_assert!(!shown.contains(&secret), "{}", shown);
        }
    }
}
