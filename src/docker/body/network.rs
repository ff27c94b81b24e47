//! The bodies of `POST /networks/create`, `/networks/{}/connect` and `/networks/{}/disconnect`.

use super::create::{Endpoint, Text};
use super::field::{Field, Inert, Map, body};
use std::borrow::Cow;

body! {
    /// `network.CreateRequest`.
    NetworkCreate<'a> {
        name: Text<'a> = "Name",
        /// Inert: a name that is taken is refused, which daemons since 25 always do.
        check_duplicate: Inert<Field<bool>> = "CheckDuplicate",
        driver: Text<'a> = "Driver",
        scope: Text<'a> = "Scope",
        /// Inert: takes addresses away, or gives the network's own.
        enable_ipv4: Inert<Field<bool>> = "EnableIPv4",
        /// Inert: addresses of the network's own range, which is judged.
        enable_ipv6: Inert<Field<bool>> = "EnableIPv6",
        ipam: Field<Ipam<'a>> = "IPAM",
        /// Inert: takes the way out away.
        internal: Inert<Field<bool>> = "Internal",
        /// Inert: whether containers may join a network of services by hand; joining is judged.
        attachable: Inert<Field<bool>> = "Attachable",
        ingress: Field<bool> = "Ingress",
        config_only: Field<bool> = "ConfigOnly",
        config_from: Field<ConfigFrom<'a>> = "ConfigFrom",
        options: Field<Map<'a, Cow<'a, str>>> = "Options",
        labels: Field<Map<'a, Cow<'a, str>>> = "Labels",
    }
}

body! {
    /// `network.IPAM`.
    Ipam<'a> {
        driver: Text<'a> = "Driver",
        options: Field<Map<'a, Cow<'a, str>>> = "Options",
        config: Field<Vec<IpamConfig<'a>>> = "Config",
    }
}

body! {
    /// `network.IPAMConfig`.
    IpamConfig<'a> {
        subnet: Text<'a> = "Subnet",
        ip_range: Text<'a> = "IPRange",
        gateway: Text<'a> = "Gateway",
        auxiliary: Field<Map<'a, Cow<'a, str>>> = "AuxiliaryAddresses",
    }
}

body! {
    /// `network.ConfigReference`.
    ConfigFrom<'a> {
        network: Text<'a> = "Network",
    }
}

body! {
    /// `network.ConnectRequest`.
    NetworkConnect<'a> {
        container: Text<'a> = "Container",
        endpoint_config: Field<Endpoint<'a>> = "EndpointConfig",
    }
}

body! {
    /// `network.DisconnectRequest`.
    NetworkDisconnect<'a> {
        container: Text<'a> = "Container",
        /// Inert: also where the container does not run.
        force: Inert<Field<bool>> = "Force",
    }
}
