//! A service, taken apart: any container, on any node, by the rules that hold for a container here.

use super::Judge;
use super::image::serve;
use super::names::is_host_name;
use crate::docker::body::service::{
    AppArmor, ContainerSpec, CredentialSpec, DnsConfig, File, FileReference, NetworkAttachmentSpec,
    Privileges, SeLinux, Seccomp, ServiceSpec, TaskRestart, TaskTemplate,
};
use crate::docker::body::swarm::NamedDriver;
use crate::docker::{ApiVersion, CallHead};
use crate::policy::Reason;

/// `POST /services/create` and `/services/{}/update`.
pub(super) fn service(judge: &mut Judge<'_>, head: &CallHead, spec: &ServiceSpec<'_>) {
    let ServiceSpec {
        name,
        labels,
        task_template,
        mode: _,
        update_config: _,
        rollback_config: _,
        networks,
        endpoint_spec,
        borrow: _,
    } = spec;
    judge.base = "TaskTemplate.ContainerSpec.";
    judge.service_name(name.text());
    judge.labels(labels);
    judge.attachments("Networks", networks.items());
    judge.service_ports(endpoint_spec.value());
    let empty = TaskTemplate::default();
    let task = task_template.value().unwrap_or(&empty);
    if networks.items().is_empty() && task.networks.items().is_empty() {
        judge.network("TaskTemplate.Networks", "bridge"); // as a container's, where none is named
    }
    judge.task(task);
    judge.heard(head.version);
}

impl Judge<'_> {
    /// Containers on its networks find it by this name.
    fn service_name(&mut self, name: &str) {
        if !is_host_name(name) {
            self.refuse(Reason::Hostname, "Name", name, "name a service");
        }
        self.kept_name(name, "name a service");
    }

    /// What a profile asks for must reach the tasks: below these versions the daemon takes it out of the
    /// body (`adjustForAPIVersion` in `api/server/router/swarm/helpers.go`).
    fn heard(&mut self, version: ApiVersion) {
        let (profile, no_new_at) = (self.profile, "ContainerSpec.Privileges.NoNewPrivileges");
        let drop_all = profile.capabilities().drop_all.holds();
        let no_new = profile.no_new_privileges().holds();
        let bounded = profile.pids().max.is_some();
        let rules = [
            (Reason::CapDrop, drop_all, ApiVersion::new(41), "ContainerSpec.CapabilityDrop"),
            (Reason::Pids, bounded, ApiVersion::new(41), "Resources.Limits.Pids"),
            (Reason::NoNewPrivileges, no_new, ApiVersion::new(44), no_new_at),
        ];
        for (reason, asked, since, name) in rules {
            if asked && version < since {
                let what = format!("make a service in API {version}, where {name} is not read");
                self.deny(reason, format!("TaskTemplate.{name}"), version.to_string(), what);
                self.allowing(format!("API {since} and above"));
            }
        }
    }

    fn task(&mut self, task: &TaskTemplate<'_>) {
        let TaskTemplate {
            container_spec,
            plugin_spec,
            network_attachment_spec,
            resources,
            restart_policy,
            placement: _,
            networks,
            log_driver,
            force_update: _,
            runtime,
            borrow: _,
        } = task;
        if plugin_spec.value().is_some() {
            let what = "run a plugin as a service";
            self.deny(Reason::Reserved, "TaskTemplate.PluginSpec", "", what);
        }
        if let Some(NetworkAttachmentSpec { container_id, borrow: _ }) =
            network_attachment_spec.value()
        {
            let what = "attach a container as a service";
            let field = "TaskTemplate.NetworkAttachmentSpec";
            self.deny(Reason::Reserved, field, container_id.text(), what);
        }
        if !matches!(runtime.text(), "" | "container") {
            let what = "run a service on";
            self.refuse(Reason::Reserved, "TaskTemplate.Runtime", runtime.text(), what);
        }
        self.service_runtime();
        self.task_resources(resources.value());
        self.task_restart(restart_policy.value());
        self.attachments("TaskTemplate.Networks", networks.items());
        if let Some(NamedDriver { name, options, borrow: _ }) = log_driver.value() {
            let (at, options_at) =
                ("TaskTemplate.LogDriver.Name", "TaskTemplate.LogDriver.Options");
            self.log_driver((at, name.text()), (options_at, options));
        }
        let empty = ContainerSpec::default();
        self.container_spec(container_spec.value().unwrap_or(&empty));
    }

    fn container_spec(&mut self, spec: &ContainerSpec<'_>) {
        let ContainerSpec {
            image,
            labels,
            command, // code inside its own container is what containers are for
            args,
            hostname,
            env,
            dir,
            user,
            groups,
            privileges,
            init,
            stop_signal: _,
            tty: _,
            open_stdin: _,
            read_only,
            mounts,
            stop_grace_period,
            healthcheck,
            hosts,
            dns_config,
            secrets,
            configs,
            isolation,
            sysctls,
            capability_add,
            capability_drop,
            ulimits,
            oom_score_adj,
            borrow: _,
        } = spec;
        let at = |name: &str| format!("TaskTemplate.ContainerSpec.{name}");
        self.add(serve(self.role, &at("Image"), image.text()));
        self.label_keys(&at("Labels"), labels);
        if !is_host_name(&without_templates(hostname.text())) {
            self.refuse(Reason::Hostname, at("Hostname"), hostname.text(), "use host name");
        }
        self.environment(&at("Env."), env.items());
        let words = env.items().iter().chain(command.items()).chain(args.items());
        let texts = [user.text(), dir.text()];
        self.weigh(&at("Env"), words.map(AsRef::as_ref).chain(texts));
        self.working_dir(&at("Dir"), dir.text());
        self.user(&at("User"), user.text());
        self.init(&at("Init"), init.or_zero());
        self.groups(&at("Groups"), groups.items());
        self.service_privileges(&at("Privileges"), privileges.value());
        self.read_only_root(&at("ReadOnly"), read_only.or_zero());
        self.mounts(mounts.items());
        self.nested(&self.places_of(mounts.items()));
        self.stop_timeout(&at("StopGracePeriod"), stop_grace_period.or_zero() / 1_000_000_000);
        self.healthcheck(&at("Healthcheck."), healthcheck.value());
        self.service_hosts(&at("Hosts"), hosts.items());
        if let Some(DnsConfig { nameservers, search, options, borrow: _ }) = dns_config.value() {
            self.dns(
                (&at("DNSConfig.Nameservers"), nameservers.items()),
                (&at("DNSConfig.Options"), options.items()),
                (&at("DNSConfig.Search"), search.items()),
            );
        }
        self.references((&at("Secrets"), "/run/secrets"), secrets.items());
        self.references((&at("Configs"), ""), configs.items());
        self.isolation(&at("Isolation"), isolation.text());
        self.sysctls(sysctls);
        self.capabilities(
            (&at("CapabilityAdd"), capability_add.items()),
            (&at("CapabilityDrop"), capability_drop.items()),
        );
        self.ulimits(ulimits.items());
        self.oom(false, oom_score_adj.or_zero());
    }

    /// A service starts its tasks again unless it is told not to.
    fn task_restart(&mut self, policy: Option<&TaskRestart<'_>>) {
        let none = TaskRestart::default();
        let TaskRestart { condition, delay: _, max_attempts: _, window: _, borrow: _ } =
            policy.unwrap_or(&none);
        let condition = condition.text();
        let name = match condition {
            "none" => "no",
            "on-failure" => "on-failure",
            _ => "always",
        };
        self.restarts = name != "no";
        if name != "no" && !self.profile.restart().allow.has(name) {
            let what = "use restart condition";
            self.refuse(Reason::Restart, "TaskTemplate.RestartPolicy.Condition", condition, what);
            self.allowing_listed("policies", &self.profile.restart().allow);
        }
    }

    fn service_privileges(&mut self, field: &str, privileges: Option<&Privileges<'_>>) {
        let none = Privileges::default();
        let Privileges {
            credential_spec,
            selinux,
            seccomp,
            apparmor,
            no_new_privileges,
            borrow: _,
        } = privileges.unwrap_or(&none);
        let mut loosened = Vec::new();
        if let Some(CredentialSpec { config: _, file: _, registry: _, borrow: _ }) =
            credential_spec.value()
        {
            loosened.push(("CredentialSpec", "given".to_owned()));
        }
        if let Some(SeLinux { disable, user, role, kind, level, borrow: _ }) = selinux.value() {
            let said = [user, role, kind, level].iter().any(|text| !text.text().is_empty());
            if disable.or_zero() || said {
                loosened.push(("SELinuxContext", kind.text().to_owned()));
            }
        }
        if let Some(Seccomp { mode, profile, borrow: _ }) = seccomp.value()
            && (!is_default(mode.text()) || !profile.text().is_empty())
        {
            loosened.push(("Seccomp", mode.text().to_owned()));
        }
        if let Some(AppArmor { mode, borrow: _ }) = apparmor.value()
            && !is_default(mode.text())
        {
            loosened.push(("AppArmor", mode.text().to_owned()));
        }
        for (name, value) in loosened {
            let what = format!("choose {name} for a service");
            self.deny(Reason::SecurityOpt, format!("{field}.{name}"), value, what);
        }
        if self.must_ask(*self.profile.no_new_privileges()) && !no_new_privileges.or_zero() {
            let what = "gain new privileges: NoNewPrivileges must be set";
            self.deny(Reason::NoNewPrivileges, format!("{field}.NoNewPrivileges"), "false", what);
        }
    }

    /// `Hosts`: lines of /etc/hosts, `address name [name...]`.
    fn service_hosts(&mut self, field: &str, hosts: &[std::borrow::Cow<'_, str>]) {
        for (i, line) in hosts.iter().enumerate() {
            let mut words = line.split(' ');
            let address = words.next().unwrap_or_default();
            let entries: Vec<_> = words.map(|name| format!("{name}:{address}").into()).collect();
            let at = format!("{field}[{i}]");
            if entries.is_empty() {
                self.refuse(Reason::ExtraHost, at, line, "add host entry");
            } else {
                self.extra_hosts(&at, &entries);
            }
        }
    }

    /// Secrets and configs by reference: to a file inside, below `base` where its path is relative.
    fn references(&mut self, (field, base): (&str, &str), references: &[FileReference<'_>]) {
        for (i, reference) in references.iter().enumerate() {
            let FileReference {
                file,
                runtime: _,
                secret_id: _, // whose it is: the swarm has no owners yet
                secret_name: _,
                config_id: _,
                config_name: _,
                borrow: _,
            } = reference;
            let Some(File { name, uid: _, gid: _, mode: _, borrow: _ }) = file.value() else {
                continue;
            };
            let target = match name.text() {
                absolute if absolute.starts_with('/') => absolute.to_owned(),
                relative => format!("{base}/{relative}"),
            };
            self.target(&format!("{field}[{i}].File.Name"), &target);
        }
    }
}

fn is_default(mode: &str) -> bool {
    matches!(mode, "" | "default")
}

/// What a node may fill in. A label, or all of them, could be any text (`Context` in
/// `template/context.go` of `github.com/moby/swarmkit`).
const TEMPLATES: [&str; 9] = [
    ".Node.Hostname",
    ".Node.ID",
    ".Node.Platform.Architecture",
    ".Node.Platform.OS",
    ".Service.ID",
    ".Service.Name",
    ".Task.ID",
    ".Task.Name",
    ".Task.Slot",
];

/// A host name without its plain templates, such as `{{.Node.Hostname}}`.
fn without_templates(name: &str) -> String {
    let mut pieces = name.split("{{");
    let mut rest = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.split_once("}}") {
            Some((inside, after)) if TEMPLATES.contains(&inside.trim_matches(' ')) => {
                rest.push_str(after);
            }
            _ => rest.push_str("{{"),
        }
    }
    rest
}
