//! Raw requests to either side by curl, where a test's point is the bytes of a body and not a client.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where a request goes.
pub(crate) struct Side(Vec<String>, String);

/// What came back. Status 0: nothing did.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The fields of its head, as they came.
    pub(crate) head: String,
}

impl Answer {
    /// What it tells: its head, but for what every answer has of its own, and its body.
    pub(crate) fn told(&self) -> String {
        let own = ["date:", "content-length:"];
        let head = self.head.lines().map(str::to_ascii_lowercase);
        let head: Vec<_> = head.filter(|line| !own.iter().any(|of| line.starts_with(of))).collect();
        format!("{} {}", head.join("; "), self.body)
    }

    /// The body as JSON, null where it is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

impl Side {
    /// Straight to the daemon's socket.
    pub(crate) fn daemon(socket: &Path) -> Self {
        let socket = socket.to_str().unwrap().to_owned();
        Self(vec!["--unix-socket".to_owned(), socket], "http://docker".to_owned())
    }

    /// Through the gate, as the client whose bundle that is.
    pub(crate) fn gate(port: u16, bundle: PathBuf) -> Self {
        let options = [("--cacert", "ca.pem"), ("--cert", "cert.pem"), ("--key", "key.pem")];
        let options = options.iter().flat_map(|(option, file)| {
            [(*option).to_owned(), bundle.join(file).to_str().unwrap().to_owned()]
        });
        Self(options.collect(), format!("https://127.0.0.1:{port}"))
    }

    /// Sends one request, with a JSON body unless it is empty.
    pub(crate) fn send(&self, method: &str, target: &str, body: &str) -> Answer {
        let json = [("Content-Type".to_owned(), "application/json".to_owned())];
        let headers = if body.is_empty() { &[][..] } else { &json };
        self.send_with(method, target, headers, body.as_bytes())
    }

    /// The same with these heads and this body.
    pub(crate) fn send_with(
        &self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Answer {
        let head = tempfile::NamedTempFile::new().unwrap();
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "--max-time",
            "300",
            "--path-as-is",
            "-D",
            head.path().to_str().unwrap(),
            "-w",
            "\n%{http_code}",
        ]);
        match method {
            "HEAD" => curl.arg("--head"),
            method => curl.args(["-X", method]),
        };
        for (name, value) in headers {
            curl.arg("-H").arg(format!("{name}: {value}"));
        }
        if !body.is_empty() {
            curl.args(["--data-binary", "@-"]);
        }
        curl.args(&self.0).arg(format!("{}{target}", self.1));
        super::world::plain(&mut curl);
        let curl = curl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = curl.spawn().unwrap();
        child.stdin.take().unwrap().write_all(body).unwrap();
        let out = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').unwrap_or_default();
        let problem = String::from_utf8_lossy(&out.stderr);
        let body = if method == "HEAD" { "" } else { body };
        let head = std::fs::read_to_string(head.path()).unwrap();
        Answer { status: status.parse().unwrap_or(0), body: format!("{body}{problem}"), head }
    }
}
