//! Making an image of a container or of an archive: which name it gets, and what is changed in it. What
//! it then runs as is judged when it runs.

use super::Judge;
use crate::docker::CallHead;
use crate::docker::body::config::ContainerConfig;
use crate::policy::Reason;

/// Instructions that say something of the image itself. `ONBUILD` acts in other people's builds.
const INSTRUCTIONS: [&str; 11] = [
    "CMD",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "HEALTHCHECK",
    "LABEL",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// `POST /commit`.
pub(super) fn commit(judge: &mut Judge<'_>, head: &CallHead, config: Option<&ContainerConfig<'_>>) {
    match head.query.text("container") {
        Some(container) => judge.container("query container", container),
        None => {
            judge.deny(
                Reason::NamePlain,
                "query container",
                "",
                "commit without naming a container",
            );
        }
    }
    judge.new_image(head);
    if let Some(config) = config {
        judge.image_config(config);
    }
}

/// `POST /images/create` without `fromImage`: the archive is the body.
pub(super) fn import(judge: &mut Judge<'_>, head: &CallHead) {
    let source = head.query.text("fromSrc").unwrap_or_default();
    if source != "-" {
        judge.refuse(Reason::ImageSource, "query fromSrc", source, "import an image from");
        judge.allowing("fromSrc=-, with the archive as the body");
    }
    judge.new_image(head);
}

impl Judge<'_> {
    fn new_image(&mut self, head: &CallHead) {
        let text = |key| head.query.text(key).unwrap_or_default();
        if !(text("repo").is_empty() && text("tag").is_empty()) {
            self.write_name("query repo", text("repo"), text("tag"));
        }
        for change in head.query.all("changes") {
            self.change(change);
        }
    }

    /// One instruction of a Dockerfile. A line's end would begin another, and cannot be in a query.
    fn change(&mut self, change: &str) {
        let (instruction, rest) = change.trim_start().split_once(' ').unwrap_or((change, ""));
        let instruction = instruction.to_ascii_uppercase();
        if !INSTRUCTIONS.contains(&instruction.as_str()) || rest.trim_end().ends_with('\\') {
            let what = format!("change an image by {instruction}");
            self.deny(Reason::ImageChange, "query changes", instruction, what);
            return;
        }
        if instruction == "WORKDIR" {
            self.written_dir(rest.trim());
        }
        match instruction.as_str() {
            "HEALTHCHECK" => self.health_instruction(rest),
            "ENV" => self.env_instruction(rest),
            _ => {}
        }
        let rules = &self.profile.labels();
        if instruction == "LABEL" && !(rules.deny.is_empty() && rules.allow.is_none()) {
            let what = "change labels of an image where not all are allowed";
            self.deny(Reason::ImageChange, "query changes", instruction, what);
        }
    }

    /// A directory as a Dockerfile writes it: the daemon takes quotes and backslashes away and puts
    /// variables in, so that what stands there is not what it means.
    fn written_dir(&mut self, dir: &str) {
        if dir.contains(['"', '\'', '\\', '$']) {
            let what = format!("work in directory {dir:?}, which means another");
            self.deny(Reason::WorkingDir, "query changes", dir, what);
        } else {
            self.working_dir("query changes", dir);
        }
    }

    fn image_config(&mut self, config: &ContainerConfig<'_>) {
        let ContainerConfig {
            hostname,
            domainname,
            user: _, // judged when it runs
            attach_stdin: _,
            attach_stdout: _,
            attach_stderr: _,
            exposed_ports,
            tty: _,
            open_stdin: _,
            stdin_once: _,
            env,
            cmd: _,
            healthcheck,
            args_escaped: _,
            image: _, // the daemon writes what it was made from
            volumes,
            working_dir,
            entrypoint: _,
            network_disabled: _,
            mac_address,
            on_build,
            labels,
            stop_signal: _,
            stop_timeout,
            shell: _,
            borrow: _,
        } = config;
        self.arguments(config);
        self.environment("Env.", env.items());
        self.hostnames(hostname.text(), domainname.text());
        self.exposed_ports(exposed_ports);
        self.healthcheck("Healthcheck.", healthcheck.value());
        self.anonymous_volumes(volumes);
        self.working_dir("WorkingDir", working_dir.text());
        self.mac_address("MacAddress", mac_address.text());
        for (i, _) in on_build.0.items().iter().enumerate() {
            let what = "change an image by ONBUILD";
            self.deny(Reason::ImageChange, format!("OnBuild[{i}]"), "", what);
        }
        self.label_keys("Labels", labels);
        self.stop_timeout("StopTimeout", stop_timeout.or_zero());
    }
}
