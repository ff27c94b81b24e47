//! Ports on the host.

use super::Judge;
use super::names::decimal;
use crate::docker::body::create::PortBinding;
use crate::docker::body::field::{Empty, Field, Map};
use crate::policy::Reason;
use std::net::IpAddr;
use std::ops::RangeInclusive;

type Bindings<'a> = Field<Map<'a, Option<Vec<PortBinding<'a>>>>>;

impl Judge<'_> {
    /// `ExposedPorts`: they open nothing by themselves; `port` or `from-to`, with or without protocol.
    pub(super) fn exposed_ports(&mut self, ports: &Field<Map<'_, Empty>>) {
        for (key, _) in ports.entries() {
            let (range, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
            if range_of(range).is_none() || !is_protocol(protocol) {
                self.port_syntax(&format!("ExposedPorts.{key}"), key);
            }
        }
    }

    /// `PortBindings` and `PublishAllPorts`.
    pub(super) fn port_bindings(&mut self, bindings: &Bindings<'_>, publish_all: bool) {
        if publish_all {
            let field = "HostConfig.PublishAllPorts";
            self.host_port(field, "");
            self.host_address(field, "");
        }
        for (key, list) in bindings.entries() {
            let field = format!("HostConfig.PortBindings.{}", super::key(key));
            let sound = key
                .split_once('/')
                .is_some_and(|(port, protocol)| number(port).is_some() && is_protocol(protocol));
            if !sound {
                self.port_syntax(&field, key);
            }
            // engines of API 1.44 to 1.52 fill one empty binding into an empty list
            let empty = [PortBinding::default()];
            let list = list.as_deref().filter(|list| !list.is_empty());
            let is_filled =
                self.writes() && list.is_some() && self.profile.ports().default.is_some();
            let list = list.unwrap_or(&empty);
            for (i, binding) in list.iter().enumerate() {
                let PortBinding { host_ip, host_port, borrow: _ } = binding;
                self.host_port(&format!("{field}[{i}].HostPort"), host_port.text());
                // one that names no address is sent on with the profile's
                let filled = is_filled && host_ip.text().is_empty();
                if !filled {
                    self.host_address(&format!("{field}[{i}].HostIp"), host_ip.text());
                }
            }
        }
    }

    pub(super) fn port_syntax(&mut self, field: &str, text: &str) {
        self.refuse(Reason::PortSyntax, field, text, "publish port");
    }

    /// Empty and 0 are a port that the daemon picks.
    pub(super) fn host_port(&mut self, field: &str, port: &str) {
        let rules = &self.profile.ports();
        let allowed = match port {
            "" | "0" => rules.ephemeral.0,
            text => {
                let Some(asked) = range_of(text) else { return self.port_syntax(field, text) };
                let holds =
                    |r: &RangeInclusive<u16>| r.contains(asked.start()) && r.contains(asked.end());
                rules.host.iter().any(holds)
            }
        };
        if !allowed {
            let what = match port {
                "" | "0" => "publish on a port that the daemon picks".to_owned(),
                port => format!("publish on host port {port}"),
            };
            self.deny(Reason::PortHost, field, port, what);
            let allowed = self.ports_listed();
            self.allowing(format!("allowed host ports: {allowed}"));
        }
    }

    /// Empty is every address.
    pub(super) fn host_address(&mut self, field: &str, address: &str) {
        let parsed = address.parse::<IpAddr>();
        if !address.is_empty() && parsed.is_err() {
            return self.port_syntax(field, address);
        }
        let Some(allowed) = &self.profile.ports().address else { return };
        if !parsed.is_ok_and(|ip| allowed.contains(&ip)) {
            let shown: Vec<_> = allowed.iter().map(ToString::to_string).collect();
            let what = match address {
                "" => "publish on every address".to_owned(),
                address => format!("publish on address {address}"),
            };
            self.deny(Reason::PortAddress, field, address, what);
            self.allowing_listed("addresses", &shown);
        }
    }

    fn ports_listed(&self) -> String {
        let rules = &self.profile.ports();
        let ranges = rules.host.iter().map(|r| format!("{}-{}", r.start(), r.end()));
        let ephemeral = rules.ephemeral.0.then(|| "ephemeral".to_owned());
        super::listed(&ephemeral.into_iter().chain(ranges).collect::<Vec<_>>())
    }
}

fn is_protocol(text: &str) -> bool {
    matches!(text, "tcp" | "udp" | "sctp")
}

/// A port number above 0.
fn number(text: &str) -> Option<u16> {
    decimal(text).filter(|port| *port > 0)
}

fn range_of(text: &str) -> Option<RangeInclusive<u16>> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (number(from)?, number(to)?);
    (from <= to).then_some(from..=to)
}
