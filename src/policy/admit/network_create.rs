//! Making networks: the driver, its options and the addresses decide whether it is a network of its own
//! or a way into the host's.

use super::labels::masked;
use super::{Judge, key};
use crate::docker::body::network::{ConfigFrom, Ipam, IpamConfig, NetworkCreate};
use crate::policy::Reason;
use ipnet::IpNet;
use std::net::IpAddr;

/// `POST /networks/create`.
pub(super) fn create(judge: &mut Judge<'_>, body: &NetworkCreate<'_>) {
    let NetworkCreate {
        name,
        check_duplicate: _,
        driver,
        scope,
        enable_ipv4: _,
        enable_ipv6: _,
        ipam,
        internal: _,
        attachable: _,
        ingress,
        config_only,
        config_from,
        options,
        labels,
        borrow: _,
    } = body;
    judge.new_network("Name", name.text());
    judge.network_driver(driver.text());
    judge.network_scope(scope.text(), ingress.or_zero(), config_only.or_zero());
    if let Some(ConfigFrom { network, borrow: _ }) = config_from.value()
        && !network.text().is_empty()
    {
        let what = "make a network that follows";
        judge.refuse(Reason::NetworkScope, "ConfigFrom", network.text(), what);
    }
    for (name, value) in options.entries() {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':');
        let known = judge.profile.network_options().has(name);
        if !(known && value.bytes().all(plain)) {
            let what = format!("make a network with option {name:?}");
            let field = format!("Options.{}", key(name));
            judge.deny(Reason::NetworkSetting, field, masked(value), what);
            judge.allowing_listed("options", judge.profile.network_options());
        }
    }
    judge.label_keys("Labels", labels);
    if let Some(ipam) = ipam.value() {
        judge.network_addresses(ipam);
    }
}

impl Judge<'_> {
    /// A name that no mode and no id can be taken for.
    fn new_network(&mut self, field: &str, name: &str) {
        if self.new_name(field, name, "name a network") {
            self.network_name(field, name);
        }
    }

    /// Empty is the daemon's `bridge`.
    fn network_driver(&mut self, driver: &str) {
        let driver = if driver.is_empty() { "bridge" } else { driver };
        if !self.profile.network_drivers().has(driver) {
            self.refuse(Reason::NetworkDriver, "Driver", driver, "make a network with driver");
            self.allowing_listed("drivers", self.profile.network_drivers());
        }
    }

    fn network_scope(&mut self, scope: &str, ingress: bool, config_only: bool) {
        if !matches!(scope, "" | "local") {
            self.refuse(Reason::NetworkScope, "Scope", scope, "make a network of scope");
        }
        for (field, set) in [("Ingress", ingress), ("ConfigOnly", config_only)] {
            if set {
                let what = format!("make a network with {field}");
                self.deny(Reason::NetworkScope, field, "true", what);
            }
        }
    }

    /// The addresses that a network chooses for itself.
    fn network_addresses(&mut self, ipam: &Ipam<'_>) {
        let Ipam { driver, options, config, borrow: _ } = ipam;
        if !matches!(driver.text(), "" | "default") {
            let what = "have addresses given by driver";
            self.refuse(Reason::NetworkDriver, "IPAM.Driver", driver.text(), what);
        }
        for (name, value) in options.entries() {
            let what = format!("give option {name:?} to the driver of addresses");
            let field = format!("IPAM.Options.{}", key(name));
            self.deny(Reason::NetworkSetting, field, masked(value), what);
        }
        for (i, config) in config.items().iter().enumerate() {
            let IpamConfig { subnet, ip_range, gateway, auxiliary, borrow: _ } = config;
            let at = |name: &str| format!("IPAM.Config[{i}].{name}");
            for (name, range) in [("Subnet", subnet.text()), ("IPRange", ip_range.text())] {
                self.subnet(&at(name), range);
            }
            self.subnet(&at("Gateway"), gateway.text());
            for (name, address) in auxiliary.entries() {
                self.subnet(&at(&format!("AuxiliaryAddresses.{}", key(name))), address);
            }
        }
    }

    /// A range, or an address in one, that the profile lists; empty is the daemon's own choice.
    fn subnet(&mut self, field: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let range = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        let within = |range: IpNet| self.profile.subnets().iter().any(|all| all.contains(&range));
        if !range.is_ok_and(within) {
            let shown: Vec<_> = self.profile.subnets().iter().map(ToString::to_string).collect();
            self.refuse(Reason::Subnet, field, text, "choose the addresses");
            self.allowing_listed("ranges", &shown);
        }
    }
}
