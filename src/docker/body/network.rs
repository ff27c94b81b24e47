//! The bodies of `POST /networks/create`, `/networks/{}/connect` and `/networks/{}/disconnect`.

use super::create::{Endpoint, StringMap, Text};
use super::field::{Field, Inert, body};

body! {
    /// `network.CreateRequest`.
    NetworkCreate<'a> {
        name: Text<'a> = "Name",
        /// Inert: whether a name that is taken is refused, which daemons since 25 always do; for older ones it
        /// is written in.
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
        options: StringMap<'a> = "Options",
        labels: StringMap<'a> = "Labels",
    }

    /// `network.IPAM`.
    Ipam<'a> {
        driver: Text<'a> = "Driver",
        options: StringMap<'a> = "Options",
        config: Field<Vec<IpamConfig<'a>>> = "Config",
    }

    /// `network.IPAMConfig`.
    IpamConfig<'a> {
        subnet: Text<'a> = "Subnet",
        ip_range: Text<'a> = "IPRange",
        gateway: Text<'a> = "Gateway",
        auxiliary: StringMap<'a> = "AuxiliaryAddresses",
    }

    /// `network.ConfigReference`.
    ConfigFrom<'a> {
        network: Text<'a> = "Network",
    }

    /// `network.ConnectRequest`.
    NetworkConnect<'a> {
        container: Text<'a> = "Container",
        endpoint_config: Field<Endpoint<'a>> = "EndpointConfig",
    }

    /// `network.DisconnectRequest`.
    NetworkDisconnect<'a> {
        container: Text<'a> = "Container",
        /// Inert: also where the container does not run.
        force: Inert<Field<bool>> = "Force",
    }
}
