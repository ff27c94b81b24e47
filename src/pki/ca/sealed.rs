//! A private key under a passphrase: `EncryptedPrivateKeyInfo` of RFC 5958 with PBES2 of RFC 8018, in the
//! one form that openssl writes too (PBKDF2 with HMAC-SHA-256, AES-256-CBC). The ciphers are those of
//! aws-lc-rs, which is in the tree for TLS; a crate for this format would bring a second set of them.

use super::super::error::PkiError;
use super::pem;
use aws_lc_rs::cipher::{
    AES_256, AES_256_KEY_LEN, AES_CBC_IV_LEN, DecryptionContext, EncryptionContext,
    PaddedBlockDecryptingKey, PaddedBlockEncryptingKey, UnboundCipherKey,
};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::{pbkdf2, rand};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::num::NonZeroU32;
use yasna::models::ObjectIdentifier;
use yasna::{ASN1Error, ASN1ErrorKind, ASN1Result, BERReader, DERWriter};

/// Rounds, as OWASP recommends for HMAC-SHA-256.
const ROUNDS: u32 = 600_000;
/// More would let a file keep the command busy for hours.
const ROUNDS_MAX: u32 = 10_000_000;

const PBES2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 13];
const PBKDF2: &[u64] = &[1, 2, 840, 113_549, 1, 5, 12];
const HMAC_SHA256: &[u64] = &[1, 2, 840, 113_549, 2, 9];
const AES256_CBC: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 1, 42];

const LABEL: &str = "ENCRYPTED PRIVATE KEY";
const BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const END: &str = "-----END ENCRYPTED PRIVATE KEY-----";

const FORM: &str = "encrypted in another way than PBKDF2 with SHA-256 and AES-256-CBC, \
                    write it anew with `openssl pkcs8 -topk8`";
const WRONG: &str = "the passphrase is not the one it was encrypted with";

/// What the authorities' keys are encrypted with. Shown by nothing.
#[derive(Clone)]
pub struct Passphrase(String);

impl Passphrase {
    /// From a file's or variable's text, a line end after it left out.
    ///
    /// # Errors
    /// Nothing is there.
    pub fn new(text: &str) -> Result<Self, PkiError> {
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() { Err(PkiError::NoPassphrase) } else { Ok(Self(line.to_owned())) }
    }

    const fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

/// Salt, rounds and the cipher's first block.
struct Parameters {
    salt: Vec<u8>,
    rounds: NonZeroU32,
    iv: [u8; AES_CBC_IV_LEN],
}

impl Parameters {
    fn random() -> Result<Self, Unspecified> {
        let (mut salt, mut iv) = (vec![0; 16], [0; AES_CBC_IV_LEN]);
        rand::fill(&mut salt)?;
        rand::fill(&mut iv)?;
        Ok(Self { salt, rounds: NonZeroU32::new(ROUNDS).ok_or(Unspecified)?, iv })
    }

    fn key(&self, passphrase: &Passphrase) -> Result<UnboundCipherKey, Unspecified> {
        let mut key = [0; AES_256_KEY_LEN];
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(algorithm, self.rounds, &self.salt, passphrase.bytes(), &mut key);
        UnboundCipherKey::new(&AES_256, &key)
    }
}

/// The key (PKCS #8, DER) under the passphrase, PEM.
pub(super) fn seal(key: &[u8], passphrase: &Passphrase) -> Result<String, PkiError> {
    let parameters = Parameters::random()?;
    let mut data = key.to_vec();
    let cipher = PaddedBlockEncryptingKey::cbc_pkcs7(parameters.key(passphrase)?)?;
    let iv = EncryptionContext::Iv128(FixedLength::from(parameters.iv));
    cipher.less_safe_encrypt(&mut data, iv)?;
    Ok(pem::text(LABEL, &yasna::construct_der(|writer| write(writer, &parameters, &data))))
}

/// What stands between the lines of an encrypted key, or `None` where there is none. What is no base64 is
/// no DER either, and is refused as such.
pub(super) fn armoured(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(BEGIN)?;
    let (text, _) = rest.split_once(END)?;
    let text: String = text.split_ascii_whitespace().collect();
    Some(STANDARD.decode(text).unwrap_or_default())
}

/// The key (PKCS #8, DER) that [`seal`] or openssl put there.
pub(super) fn open(sealed: &[u8], passphrase: &Passphrase) -> Result<Vec<u8>, &'static str> {
    let (parameters, mut data) = yasna::parse_der(sealed, read).map_err(|_| FORM)?;
    let mut opened = || -> Result<Vec<u8>, Unspecified> {
        let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(parameters.key(passphrase)?)?;
        let iv = DecryptionContext::Iv128(FixedLength::from(parameters.iv));
        cipher.decrypt(&mut data, iv).map(|key| key.to_vec())
    };
    opened().map_err(|_| WRONG)
}

fn write(writer: DERWriter<'_>, parameters: &Parameters, data: &[u8]) {
    writer.write_sequence(|info| {
        info.next().write_sequence(|algorithm| {
            algorithm.next().write_oid(&oid(PBES2));
            algorithm.next().write_sequence(|schemes| {
                schemes.next().write_sequence(|kdf| write_kdf(kdf, parameters));
                schemes.next().write_sequence(|cipher| {
                    cipher.next().write_oid(&oid(AES256_CBC));
                    cipher.next().write_bytes(&parameters.iv);
                });
            });
        });
        info.next().write_bytes(data);
    });
}

fn write_kdf(kdf: &mut yasna::DERWriterSeq<'_>, parameters: &Parameters) {
    kdf.next().write_oid(&oid(PBKDF2));
    kdf.next().write_sequence(|values| {
        values.next().write_bytes(&parameters.salt);
        values.next().write_u32(parameters.rounds.get());
        values.next().write_sequence(|prf| {
            prf.next().write_oid(&oid(HMAC_SHA256));
            prf.next().write_null();
        });
    });
}

fn read(reader: BERReader<'_, '_>) -> ASN1Result<(Parameters, Vec<u8>)> {
    reader.read_sequence(|info| {
        let parameters = info.next().read_sequence(|algorithm| {
            expect(algorithm.next(), PBES2)?;
            algorithm.next().read_sequence(|schemes| {
                let (salt, rounds) = schemes.next().read_sequence(|kdf| {
                    expect(kdf.next(), PBKDF2)?;
                    read_kdf(kdf.next())
                })?;
                let iv = schemes.next().read_sequence(|cipher| {
                    expect(cipher.next(), AES256_CBC)?;
                    cipher.next().read_bytes()?.try_into().map_err(|_| invalid())
                })?;
                Ok(Parameters { salt, rounds, iv })
            })
        })?;
        Ok((parameters, info.next().read_bytes()?))
    })
}

fn read_kdf(reader: BERReader<'_, '_>) -> ASN1Result<(Vec<u8>, NonZeroU32)> {
    reader.read_sequence(|values| {
        let salt = values.next().read_bytes()?;
        let rounds = values.next().read_u32()?;
        // openssl may say the key's length too
        let length = values.read_optional(|reader| reader.read_u32())?;
        values.next().read_sequence(|prf| {
            expect(prf.next(), HMAC_SHA256)?;
            prf.next().read_null()
        })?;
        let key_length = u32::try_from(AES_256_KEY_LEN).map_err(|_| invalid())?;
        let rounds = NonZeroU32::new(rounds).filter(|rounds| rounds.get() <= ROUNDS_MAX);
        match rounds {
            Some(rounds) if length.is_none_or(|length| length == key_length) => Ok((salt, rounds)),
            _ => Err(invalid()),
        }
    })
}

fn expect(reader: BERReader<'_, '_>, wanted: &[u64]) -> ASN1Result<()> {
    if reader.read_oid()? == oid(wanted) { Ok(()) } else { Err(invalid()) }
}

fn oid(parts: &[u64]) -> ObjectIdentifier {
    ObjectIdentifier::from_slice(parts)
}

fn invalid() -> ASN1Error {
    ASN1Error::new(ASN1ErrorKind::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passphrase(text: &str) -> Passphrase {
        Passphrase::new(text).unwrap()
    }

    #[test]
    fn what_is_sealed_opens_by_its_passphrase_alone() {
        let sealed = seal(b"a key", &passphrase("correct horse\n")).unwrap();
        assert_ne!(sealed, seal(b"a key", &passphrase("correct horse")).unwrap());
        let der = armoured(&sealed).unwrap();
        assert_eq!(open(&der, &passphrase("correct horse")).unwrap(), b"a key");
        // a wrong one passes the padding seldom, and never gives the key
        assert_ne!(open(&der, &passphrase("correct horsf")), Ok(b"a key".to_vec()));
        for cut in [0, 1, der.len() / 2, der.len() - 1] {
            assert_eq!(open(&der[..cut], &passphrase("correct horse")), Err(FORM));
        }
    }

    #[test]
    fn a_plain_key_is_not_armoured() {
        assert_eq!(armoured("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----"), None);
        assert_eq!(armoured(&format!("{BEGIN}\n!\n{END}")), Some(Vec::new()));
    }
}
