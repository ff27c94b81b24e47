//! Credentials for a registry: a body of `POST /auth` and, up to engine 28.0, of a push; elsewhere the
//! content of `X-Registry-Auth` and `X-Registry-Config`. Never logged.

use super::create::Text;
use super::field::body;

body! {
    /// `registry.AuthConfig`. docker-py writes capitals when a credential helper gave the secret.
    AuthConfig<'a> {
        username: Text<'a> = "username",
        password: Text<'a> = "password",
        auth: Text<'a> = "auth",
        email: Text<'a> = "email",
        serveraddress: Text<'a> = "serveraddress",
        identitytoken: Text<'a> = "identitytoken",
        registrytoken: Text<'a> = "registrytoken",
    }
}
