//! The ids under which a certificate is not believed.

use crate::rule::rules;

rules! {
    /// Under which id a certificate is not believed.
    pub enum Doubt in "A certificate that is not believed",
        "Refused in the handshake; of who is connected already, 403 and the connection closed." {
        Expired = "certificate.expired",
            "a certificate whose time is over, in the handshake or while it is connected",
            "a key that was forgotten must not be good for ever",
            "renew the certificate", [];
        NotYetValid = "certificate.not-yet-valid",
            "a certificate whose time has not come",
            "one of the two clocks is wrong, or somebody plays with dates",
            "see whether the clocks of the gate and of the authority are right", [];
        UnknownIssuer = "certificate.unknown-issuer",
            "a certificate that no authority of `client_ca` has issued",
            "anybody can issue a certificate of their own",
            "have it issued by an authority of that file", [];
        Purpose = "certificate.purpose",
            "a certificate that is not for clients, or a key that may not sign or not issue",
            "the key of a server must not open the gate",
            "issue one with the extended key usage clientAuth, and the key usage digitalSignature", [];
        NameConstraint = "certificate.name-constraint",
            "a certificate with names that its authority may not give",
            "an authority for some names is none for others",
            "have it issued by an authority that may", [];
        Unusable = "certificate.unusable",
            "a certificate or chain that cannot be used for another reason: signature, form, key",
            "what cannot be verified proves nothing",
            "issue the certificate again, with its whole chain", [];
        TooMuch = "certificate.too-much",
            "a chain of more certificates, or more bytes, than any client needs",
            "each certificate costs whoever verifies it, and anybody can send many",
            "send the client's own certificate and those up to its root, and no others", [];
        AuthorityExpired = "certificate.authority-expired",
            "a certificate under an authority whose time is over",
            "a key of an authority that nobody keeps any more could issue anything",
            "renew the authority, then its certificates", [];
        Revoked = "certificate.revoked",
            "a certificate that was revoked, or that of an authority above it",
            "somebody else may have the key",
            "issue a new one, with a new key", [];
        Denied = "certificate.denied",
            "a certificate, serial or key that stands in the file under `deny`",
            "somebody else may have the key",
            "issue a new one, with a new key", [];
        ListMissing = "crl.missing",
            "a certificate under an authority of which there is no list in `crl`",
            "whether it was revoked cannot be told",
            "put the list of every authority of `client_ca` into the file", [];
        ListExpired = "crl.expired",
            "a certificate under an authority whose list has ended",
            "whether it was revoked meanwhile cannot be told",
            "write the list anew before it ends: `dockward certs crl`, by its timer", [];
    }
}
