//! Commands to paste: what is printed is read again by a shell, so it is quoted as one needs it.

use std::path::Path;

/// Text as a shell reads it back.
pub(super) fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@=,:".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// A path as a shell reads it back.
pub(super) fn shell_path(path: &Path) -> String {
    shell_word(&path.display().to_string())
}

/// A bundle and the gate that it is for.
pub(super) struct Reach<'a> {
    pub(super) endpoint: &'a str,
    pub(super) ca: &'a Path,
    pub(super) certificate: &'a Path,
    pub(super) key: &'a Path,
}

/// The command that makes a context of a bundle, or changes one: `docker --context NAME` is then all that is
/// needed. Docker keeps copies of the files, and reads the endpoint as one line of CSV.
pub(super) fn context(verb: &str, name: &str, reach: &Reach<'_>) -> String {
    let field = |key: &str, value: &str| {
        let field = format!("{key}={value}");
        match field.contains([',', '"']) {
            true => format!("\"{}\"", field.replace('"', "\"\"")),
            false => field,
        }
    };
    let path = |path: &Path| path.display().to_string();
    let fields = [
        field("host", &format!("tcp://{}", reach.endpoint)),
        field("ca", &path(reach.ca)),
        field("cert", &path(reach.certificate)),
        field("key", &path(reach.key)),
    ];
    let endpoint = fields.join(",");
    let plain = !endpoint.contains(['"', '\'', '$', '`', '\\', '!']);
    let endpoint = if plain { format!("\"{endpoint}\"") } else { shell_word(&endpoint) };
    format!("docker context {verb} {} --docker {endpoint}", context_name(name))
}

/// The name of a context: Docker wants two characters at least.
pub(super) fn context_name(name: &str) -> String {
    if name.chars().count() < 2 { format!("dockward-{name}") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_quoted_where_a_shell_would_split_it() {
        assert_eq!(shell_word("/a/b-c.d"), "/a/b-c.d");
        assert_eq!(shell_word("/a b/it's"), r"'/a b/it'\''s'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn a_context_is_one_word_whatever_the_path() {
        let line = |directory: &str| {
            let file = |name: &str| Path::new(directory).join(name);
            let (ca, certificate, key) = (file("ca.pem"), file("cert.pem"), file("key.pem"));
            let (ca, certificate, key) = (ca.as_path(), certificate.as_path(), key.as_path());
            context("create", "a", &Reach { endpoint: "[::1]:1", ca, certificate, key })
        };
        assert_eq!(
            line("/p"),
            "docker context create dockward-a --docker \
             \"host=tcp://[::1]:1,ca=/p/ca.pem,cert=/p/cert.pem,key=/p/key.pem\""
        );
        assert!(line("/a,b").contains("'host=tcp://[::1]:1,\"ca=/a,b/ca.pem\",\"cert=/a,b/"));
        assert!(line("/$x").contains("'host=tcp://[::1]:1,ca=/$x/ca.pem"));
    }
}
