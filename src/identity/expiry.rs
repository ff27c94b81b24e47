//! The end of a certificate or a revocation list, seen before it hurts. Nobody looks at dates, so the
//! gate does, and says which file, when, and what to do; `check` and whatever watches a running gate
//! ask the same function.

use super::certificate::{self, IdentityError};
use super::distinguished_name;
use jiff::Timestamp;
use std::fmt;
use std::path::PathBuf;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// From when on something is near its end, in seconds before it: thirty, fourteen and three days, and
/// of what lives for a shorter time a third, a sixth and a thirtieth of its whole life, whichever is
/// less. So a certificate of eight hours is spoken of in its last 160 minutes and not for ever, and one
/// that is renewed when a third is left, as is the custom of ACME clients, is never spoken of at all.
const STEPS: [(ExpiryStage, i64, i64); 3] = [
    (ExpiryStage::Urgent, 3 * DAY, 30),
    (ExpiryStage::Near, 14 * DAY, 6),
    (ExpiryStage::Ahead, 30 * DAY, 3),
];

/// How far something is in its life, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExpiryStage {
    /// Nothing is to be done.
    Good,
    /// 30 days are left, or a third.
    Ahead,
    /// 14 days are left, or a sixth.
    Near,
    /// 3 days are left, or a thirtieth.
    Urgent,
    /// It has not begun: nobody takes it yet.
    NotYet,
    /// It is over: nobody takes it any more.
    Expired,
}

impl ExpiryStage {
    /// A stable word for output and counters.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Ahead => "ahead",
            Self::Near => "near",
            Self::Urgent => "urgent",
            Self::NotYet => "not-yet",
            Self::Expired => "expired",
        }
    }
}

/// First and last moment, seconds since 1970 (UTC): of a certificate its validity, of a revocation list
/// `thisUpdate` and `nextUpdate` (RFC 5280, 4.1.2.5 and 5.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first moment.
    pub not_before: i64,
    /// The last moment.
    pub not_after: i64,
}

impl Span {
    /// How far it is at `now` (seconds since 1970, UTC).
    #[must_use]
    pub fn stage(self, now: i64) -> ExpiryStage {
        if now > self.not_after {
            return ExpiryStage::Expired;
        }
        if now < self.not_before {
            return ExpiryStage::NotYet;
        }
        let life = self.not_after.saturating_sub(self.not_before);
        let left = self.not_after.saturating_sub(now);
        let reached = STEPS.iter().find(|(_, before, part)| left < (*before).min(life / part));
        reached.map_or(ExpiryStage::Good, |(stage, ..)| *stage)
    }
}

/// What can end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// What a listener shows its clients; of a chain each part.
    ServerCertificate,
    /// An authority that signs client certificates.
    ClientAuthority,
    /// The list of what an authority has revoked.
    RevocationList,
    /// A client's certificate, by the name of the identity.
    Client(String),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerCertificate => f.write_str("server certificate"),
            Self::ClientAuthority => f.write_str("client authority"),
            Self::RevocationList => f.write_str("revocation list"),
            Self::Client(name) => write!(f, "certificate of client {name}"),
        }
    }
}

impl What {
    /// What keeps it from hurting.
    fn remedy(&self) -> String {
        match self {
            Self::ServerCertificate => "issue it again and reload".to_owned(),
            Self::ClientAuthority => {
                "put its successor beside it in the file, reload, and issue the client \
                 certificates again"
                    .to_owned()
            }
            Self::RevocationList => "have its authority write the next one and reload".to_owned(),
            Self::Client(name) => format!("issue {name} a new one"),
        }
    }
}

/// Something that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// What it is.
    pub what: What,
    /// Whose it is, as shown by [`super::CertificateFacts::subject`]; empty if that is not known.
    pub subject: String,
    /// The file that it is in; `None` for what came over a connection.
    pub path: Option<PathBuf>,
    /// From when until when.
    pub span: Span,
}

impl Dated {
    /// Takes subject and span out of a certificate.
    ///
    /// # Errors
    /// The bytes are no DER certificate, or more than one.
    pub fn of_certificate(
        what: What,
        path: Option<PathBuf>,
        der: &[u8],
    ) -> Result<Self, IdentityError> {
        let certificate = certificate::parse(der)?;
        let validity = certificate.validity();
        let span = Span {
            not_before: validity.not_before.timestamp(),
            not_after: validity.not_after.timestamp(),
        };
        let subject = distinguished_name::display(certificate.subject());
        Ok(Self { what, subject, path, span })
    }

    /// What to tell people at `now` (seconds since 1970, UTC), or `None` while there is nothing to do.
    #[must_use]
    pub fn notice(&self, now: i64) -> Option<Notice> {
        let Span { not_before, not_after } = self.span;
        let remedy = self.what.remedy();
        let stage = self.span.stage(now);
        let told = |at: i64, how: &str| {
            format!("{} ({} {how})", moment(at), length(at.saturating_sub(now).saturating_abs()))
        };
        let when = match stage {
            ExpiryStage::Good => return None,
            ExpiryStage::NotYet => {
                let clocks = "check the clocks of this host and of its authority";
                format!("begins {}, {clocks}", told(not_before, "from now"))
            }
            ExpiryStage::Expired => format!("ended {}, {remedy}", told(not_after, "ago")),
            ExpiryStage::Ahead | ExpiryStage::Near | ExpiryStage::Urgent => {
                format!("ends {}, {remedy}", told(not_after, "left"))
            }
        };
        let file = self.path.as_ref().map(|path| format!("{}: ", path.display()));
        let subject = if self.subject.is_empty() { "" } else { &format!(" ({})", self.subject) };
        let text = format!("{}the {}{subject} {when}", file.unwrap_or_default(), self.what);
        Some(Notice { stage, text })
    }
}

/// Something that people should know of. Worse ones are greater.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// How near it is; never [`ExpiryStage::Good`].
    pub stage: ExpiryStage,
    /// Which file, what, whose, when, how long from now, what to do: lower case, no full stop.
    pub text: String,
}

/// What to tell people of all these, the worst first, and of equally bad ones what ends first.
#[must_use]
pub fn notices(all: &[Dated], now: i64) -> Vec<Notice> {
    let mut found: Vec<(i64, Notice)> =
        all.iter().filter_map(|one| Some((one.span.not_after, one.notice(now)?))).collect();
    found.sort_by(|(end, a), (other, b)| b.stage.cmp(&a.stage).then(end.cmp(other)));
    found.dedup();
    found.into_iter().map(|(_, notice)| notice).collect()
}

/// RFC 3339; what no calendar reaches as its number.
fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

/// In the largest unit of which there are two at least, rounded down: nobody is told of more time than
/// there is.
fn length(seconds: i64) -> String {
    let units = [(DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")];
    let fits = units.iter().find(|(unit, _)| seconds >= 2 * unit);
    fits.map_or("a minute".to_owned(), |(unit, name)| format!("{} {name}", seconds / unit))
}

#[cfg(test)]
mod tests;
