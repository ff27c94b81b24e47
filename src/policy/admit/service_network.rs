//! The networks and ports of a service, which are those of every node.

use super::Judge;
use crate::docker::body::service::{Attachment, EndpointSpec, Port};

impl Judge<'_> {
    /// `EndpointSpec`: a port is published on every node and address.
    pub(super) fn service_ports(&mut self, spec: Option<&EndpointSpec<'_>>) {
        let Some(EndpointSpec { mode: _, ports, borrow: _ }) = spec else { return };
        for (i, port) in ports.items().iter().enumerate() {
            let Port { name: _, protocol, target_port: _, published_port, publish_mode, borrow: _ } =
                port;
            let field = format!("EndpointSpec.Ports[{i}]");
            let known = matches!(protocol.text(), "" | "tcp" | "udp" | "sctp")
                && matches!(publish_mode.text(), "" | "ingress" | "host");
            let published = published_port.or_zero();
            if !known {
                self.port_syntax(&field, &format!("{published}/{}", protocol.text()));
            }
            self.host_port(&format!("{field}.PublishedPort"), &published.to_string());
            self.host_address(&field, "");
        }
    }

    pub(super) fn attachments(&mut self, field: &str, networks: &[Attachment<'_>]) {
        for (i, Attachment { target, aliases, driver_opts, borrow: _ }) in
            networks.iter().enumerate()
        {
            let field = format!("{field}[{i}]");
            self.network(&format!("{field}.Target"), target.text());
            self.endpoint_names(&field, aliases.items(), driver_opts);
        }
    }
}
