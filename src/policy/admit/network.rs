//! Networks: which may be joined, and as whom.

use super::labels::masked;
use super::names::is_host_name;
use super::{Judge, Placed, StringMap, listed};
use crate::docker::body::create::{Endpoint, EndpointIpam, NetworkingConfig};
use crate::policy::Reason;
use crate::policy::facts::{JoinedNetwork, Network, Seen};
use crate::policy::glob::Glob;
use crate::policy::profile::Chosen;
use crate::policy::scope::RESERVED;
use std::borrow::Cow;
use std::net::IpAddr;

/// Networks that every daemon has, under names that are no other's.
const OWN: [&str; 4] = ["bridge", "default", "host", "none"];

/// Whether a network of this name can be looked up: plain words, of none that every daemon has.
pub(in crate::policy) fn is_askable(name: &str) -> bool {
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let words = name.split(' ').all(|word| !word.is_empty() && is_host_name(word));
    begins && words && name.len() <= 253 && !OWN.contains(&name)
}

/// Whether the daemon may take a text for the beginning of an id: hexadecimal of a network of its own, any
/// lower-case letters and digits of a swarm's (`populateNetworkID` in `daemon/cluster/networks.go`).
pub(in crate::policy) fn may_be_id(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    !text.is_empty() && text.bytes().all(plain) && !OWN.contains(&text)
}

impl Judge<'_> {
    /// `HostConfig.NetworkMode`: empty and `default` are the daemon's `bridge`.
    pub(super) fn network_mode(&mut self, field: &str, mode: &str) {
        let name = if matches!(mode, "" | "default") { "bridge" } else { mode };
        let own = self.role.bridge == Some(true); // of which that one may lead outside
        if own || !self.shares(Reason::NamespaceNetwork, field, mode) {
            self.network(field, name);
        }
    }

    /// A network. `none` is always allowed; what has a colon or is `host` is no network of its own and
    /// no pattern allows it. What may be the beginning of an id is judged by the name that the daemon
    /// says it is.
    pub(super) fn network(&mut self, field: &str, given: &str) {
        let name = match self.facts.networks.get(given) {
            Some(Seen::Found(network)) => network.name.as_str(),
            Some(Seen::Missing) => given, // the daemon answers 404
            Some(Seen::Several) => {
                let what = format!("use the network {given:?}: several are named so, or begin so");
                return self.deny(Reason::NetworkUnseen, field, given, what);
            }
            None if !may_be_id(given) => given,
            None => {
                let what = format!("use the network {given:?}: it cannot be looked at");
                return self.deny(Reason::NetworkUnseen, field, given, what);
            }
        };
        if name == "none" {
            return;
        }
        if name == "host" || name.is_empty() || !is_host_name(name) {
            self.refuse(Reason::NamespaceNetwork, field, given, "use the network");
        } else {
            self.network_name(field, name);
        }
    }

    /// The networks of a container that starts. The daemon looks for them anew: by id where it has been on one, else
    /// by name, which may lead elsewhere by now. The mode counts where it is no network of its own.
    pub(super) fn started_networks(&mut self, mode: &str, networks: &[JoinedNetwork]) {
        if networks.is_empty() || mode == "host" || !is_host_name(mode) {
            self.network_mode("HostConfig.NetworkMode", mode);
        }
        if mode == "host" {
            return;
        }
        for joined in networks {
            let field = format!("NetworkSettings.Networks.{}", super::key(&joined.name));
            if OWN.contains(&joined.name.as_str()) {
                self.network_mode(&field, &joined.name);
                continue;
            }
            match self.facts.networks.get(joined.asked()) {
                Some(Seen::Found(Network { id, name, labels: _, internal: _ })) => {
                    if joined.id.is_empty() && joined.name != *name && joined.name != *id {
                        let what =
                            format!("start on network {:?}, which is {name:?} now", joined.name);
                        self.deny(Reason::NetworkMoved, field, joined.name.as_str(), what);
                    } else {
                        self.network(&field, joined.asked());
                    }
                }
                Some(Seen::Missing) => {} // the daemon says so
                Some(Seen::Several) | None => self.network(&field, joined.asked()),
            }
        }
    }

    /// A name that the profile lists.
    pub(super) fn network_name(&mut self, field: &str, name: &str) {
        // whose it is was asked besides
        let own = self.role.bridge.is_some() && name.starts_with(RESERVED);
        if !(own || self.profile.networks().fits(name)) {
            self.refuse(Reason::NetworkName, field, name, "join network");
            let shown: Vec<_> = self.profile.networks().iter().map(Glob::as_str).collect();
            self.allowing(format!("allowed networks: none, {}", listed(&shown)));
        }
    }

    /// `NetworkingConfig`: the keys are networks too.
    pub(super) fn endpoints(&mut self, networking: Option<&NetworkingConfig<'_>>) {
        let Some(NetworkingConfig { endpoints_config, borrow: _ }) = networking else { return };
        for (name, endpoint) in endpoints_config.entries() {
            let field = format!("NetworkingConfig.EndpointsConfig.{}", super::key(name));
            let name = if name == "default" { "bridge" } else { name };
            self.network(&field, name);
            if let Some(endpoint) = endpoint {
                self.endpoint(&field, endpoint);
            }
        }
    }

    pub(super) fn endpoint(&mut self, field: &str, endpoint: &Endpoint<'_>) {
        // which of its own networks has the default gateway is the container's business
        let Endpoint {
            ipam_config,
            links,
            aliases,
            mac_address,
            driver_opts,
            gw_priority: _,
            network_id: _, // these nine are never sent on
            endpoint_id: _,
            gateway: _,
            ip_address: _,
            ip_prefix_len: _,
            ipv6_gateway: _,
            global_ipv6_address: _,
            global_ipv6_prefix_len: _,
            dns_names: _,
            borrow: _,
        } = endpoint;
        let what = "link to another container";
        self.deny_items(Reason::Link, &format!("{field}.Links"), links.items(), what);
        self.mac_address(&format!("{field}.MacAddress"), mac_address.text());
        self.endpoint_names(field, aliases.items(), driver_opts);
        self.ipam(&format!("{field}.IPAMConfig"), ipam_config.value());
    }

    /// How a container is called on a network, and options of its endpoint.
    pub(super) fn endpoint_names(
        &mut self,
        field: &str,
        aliases: &[Cow<'_, str>],
        driver_opts: &StringMap<'_>,
    ) {
        for (i, alias) in aliases.iter().enumerate() {
            if alias.is_empty() || !is_host_name(alias) {
                self.refuse(Reason::Hostname, format!("{field}.Aliases[{i}]"), alias, "be called");
            }
        }
        for (key, value) in driver_opts.entries() {
            let what = format!("set endpoint option {key:?}");
            let field = format!("{field}.DriverOpts.{key}");
            self.deny(Reason::NetworkOption, field, masked(value), what);
        }
    }

    fn ipam(&mut self, field: &str, ipam: Option<&EndpointIpam<'_>>) {
        let Some(EndpointIpam { ipv4_address, ipv6_address, link_local_ips, borrow: _ }) = ipam
        else {
            return;
        };
        for (name, address) in [("IPv4Address", ipv4_address), ("IPv6Address", ipv6_address)] {
            let text = address.text();
            if !text.is_empty() && text.parse::<IpAddr>().is_err() {
                let what = "use address";
                self.refuse(Reason::EndpointAddress, format!("{field}.{name}"), text, what);
            }
        }
        let what = "use a link-local address";
        let field = format!("{field}.LinkLocalIPs");
        self.deny_items(Reason::EndpointAddress, &field, link_local_ips.items(), what);
    }

    /// A MAC address of one's own.
    pub(super) fn mac_address(&mut self, field: &str, address: &str) {
        if !address.is_empty() && *self.profile.mac_address() != Chosen::Allow {
            self.refuse(Reason::MacAddress, field, address, "choose MAC address");
        }
    }

    /// `ExtraHosts`: `name:address` or `name:host-gateway`.
    pub(super) fn extra_hosts(&mut self, field: &str, hosts: &[Cow<'_, str>]) {
        for (i, entry) in hosts.iter().enumerate() {
            let sound = entry.split_once(':').is_some_and(|(name, address)| {
                let plain = address == "host-gateway" || address.parse::<IpAddr>().is_ok();
                let listed = self.profile.extra_hosts().fits(name);
                !name.is_empty() && is_host_name(name) && plain && listed
            });
            if !sound {
                let field = format!("{field}[{i}]");
                self.refuse(Reason::ExtraHost, field, entry, "add host entry");
            }
        }
    }

    /// `Dns`, `DnsOptions`, `DnsSearch`: lines of the container's resolv.conf.
    pub(super) fn dns(
        &mut self,
        (servers_at, servers): Placed<'_>,
        (options_at, options): Placed<'_>,
        (search_at, search): Placed<'_>,
    ) {
        let profile = self.profile;
        self.resolved_by(servers_at, servers, |server| {
            server.parse::<IpAddr>().is_ok() && profile.dns().fits(server)
        });
        self.resolved_by(options_at, options, |option| {
            option.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'-' | b'_'))
        });
        self.resolved_by(search_at, search, is_host_name);
    }

    fn resolved_by(&mut self, field: &str, items: &[Cow<'_, str>], sound: impl Fn(&str) -> bool) {
        for (i, item) in items.iter().enumerate().filter(|(_, item)| !sound(item)) {
            let field = format!("{field}[{i}]");
            self.refuse(Reason::Dns, field, item, "resolve names by");
        }
    }
}
