//! The names of the authority's files. Policies and scripts lean on them: they stay.

/// What clients verify the gate with: the root.
pub const ROOT: &str = "ca.pem";
/// The root's key. Needed only to write the root's list; it may be kept elsewhere meanwhile.
pub const ROOT_KEY: &str = "root-key.pem";
/// The issuing CA, signed by the root.
pub const ISSUING: &str = "issuing.pem";
/// Its key, which signs certificates and their list.
pub const ISSUING_KEY: &str = "issuing-key.pem";
/// The gate's `client_ca`: the issuing CA and the root, so that both lists can be verified with it.
pub const CLIENT_CA: &str = "client-ca.pem";
/// The gate's `crl`: the lists of the issuing CA and of the root.
pub const CRL: &str = "crl.pem";
/// The gate's `certificate`: its own and the issuing CA's.
pub const SERVER: &str = "server.pem";
/// The gate's `key`.
pub const SERVER_KEY: &str = "server-key.pem";
/// What was issued and revoked.
pub const INDEX: &str = "index.json";
/// A policy to start with.
pub const POLICY: &str = "dockward.yaml";
/// The gate's own socket, in that policy.
pub const CONTROL: &str = "control.sock";
/// Keeps all of it out of a repository.
pub const GITIGNORE: &str = ".gitignore";
/// Where bundles go when nobody says otherwise, by name.
pub const CLIENTS: &str = "clients";

/// What a directory may not hold before an authority is made in it.
pub(super) const OURS: [&str; 8] =
    [ROOT, ROOT_KEY, ISSUING, ISSUING_KEY, CLIENT_CA, CRL, SERVER, SERVER_KEY];
