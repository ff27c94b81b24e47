//! The second proof: a token that comes with each request, in the header that the policy names. It is proven
//! once for a connection and then known again by its hash, since a client sends the same one with everything
//! it asks. One that is wrong is a refusal, never as if none had been sent.

use super::Who;
use crate::digest::Sha256;
use crate::identity::token::{self, Claims, TokenError};
use crate::identity::{Tokens, Unidentified};
use crate::policy::Policy;
use http::HeaderMap;
use jiff::Timestamp;
use std::sync::{Arc, Mutex, PoisonError};

/// How many tokens of a connection are known again.
const KEPT: usize = 4;

/// The tokens of a connection that were proven under the policy in force, by SHA-256; never the tokens
/// themselves.
#[derive(Debug, Default)]
pub(super) struct Proofs(Mutex<Proven>);

#[derive(Debug, Default)]
struct Proven {
    under: Option<Arc<Policy>>,
    tokens: Vec<(Sha256, Arc<Claims>)>,
}

impl Who {
    /// What is proven beside the certificate; `None` if no token was sent, or none is asked for by this
    /// policy.
    ///
    /// # Errors
    /// A token that proves nothing, or more than one.
    pub(super) fn claims(
        &self,
        policy: &Arc<Policy>,
        headers: &HeaderMap,
    ) -> Result<Option<Arc<Claims>>, Unidentified> {
        let Some(tokens) = &policy.tokens else { return Ok(None) };
        let mut sent = headers.get_all(&tokens.header).iter();
        let proven = match (sent.next(), sent.next()) {
            (None, _) => return Ok(None),
            (Some(_), Some(_)) => Err(TokenError::Twice),
            (Some(token), None) => match token.to_str() {
                Ok(text) => self.proofs.prove(text, tokens, policy),
                Err(_) => Err(TokenError::Malformed("it holds what no token can")),
            },
        };
        proven.map(Some).map_err(Unidentified::Token)
    }
}

impl Proofs {
    fn prove(
        &self,
        text: &str,
        tokens: &Tokens,
        policy: &Arc<Policy>,
    ) -> Result<Arc<Claims>, TokenError> {
        let now = Timestamp::now().as_second();
        let hash = Sha256::of(text.as_bytes());
        let mut proven = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !proven.under.as_ref().is_some_and(|under| Arc::ptr_eq(under, policy)) {
            *proven = Proven { under: Some(Arc::clone(policy)), tokens: Vec::new() };
        }
        if let Some((_, claims)) = proven.tokens.iter().find(|(known, _)| *known == hash) {
            return match claims.hold_at(now) {
                true => Ok(Arc::clone(claims)),
                false => Err(TokenError::Expired),
            };
        }
        let claims = Arc::new(token::verify(text, &tokens.issuers, now)?);
        if proven.tokens.len() >= KEPT {
            proven.tokens.remove(0);
        }
        proven.tokens.push((hash, Arc::clone(&claims)));
        Ok(claims)
    }
}
