//! What is documented about everything that is refused, cut short or told of by a stable id (L0). The id
//! stands in the answer, in the log, in the docs and in the corpus, so it comes from a declaration and
//! never from text: `rules!` is the only way to make a [`Rule`], and who writes an id down takes a
//! `&'static Rule`.

/// What is documented about one id.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule {
    /// The stable, dotted id.
    pub id: &'static str,
    /// What is refused.
    pub what: &'static str,
    /// Why that matters.
    pub why: &'static str,
    /// What to do instead, or whom to ask.
    pub remedy: &'static str,
    /// CIS Docker Benchmark sections, Pod Security controls, CVEs.
    pub references: &'static [&'static str],
    /// Whether letting it through amounts to root on the host: `observe` does not soften it.
    pub root: bool,
    /// Keeps others from making one by hand.
    _declared: (),
}

impl Rule {
    /// For [`rules!`] alone.
    pub(crate) const fn declared(
        id: &'static str,
        [what, why, remedy]: [&'static str; 3],
        references: &'static [&'static str],
        root: bool,
    ) -> Self {
        Self { id, what, why, remedy, references, root, _declared: () }
    }
}

/// The rules that stand under one heading of the docs.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// The heading.
    pub heading: &'static str,
    /// What one of them comes to for whoever asked.
    pub comes_to: &'static str,
    /// Each, in the order declared.
    pub rules: &'static [&'static Rule],
}

/// Declares a family of refusals: an enum, and beside each variant its id, `root` where letting it through
/// amounts to root on the host, then what is refused, why, what to do instead, and the references.
macro_rules! rules {
    (
        $(#[$doc:meta])*
        $vis:vis enum $name:ident in $heading:literal, $comes_to:literal {
            $( $variant:ident = $id:literal $($root:ident)?, $what:literal, $why:literal, $remedy:literal,
               [$($reference:literal),* $(,)?]; )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $vis enum $name { $( #[doc = $what] $variant, )* }

        #[allow(dead_code, reason = "not of every family all of this is asked")]
        impl $name {
            /// Each, in the order of the docs.
            $vis const ALL: &'static [Self] = &[ $( Self::$variant, )* ];

            /// All of them as they are documented.
            $vis const FAMILY: $crate::rule::Family = $crate::rule::Family {
                heading: $heading,
                comes_to: $comes_to,
                rules: &[ $( Self::$variant.rule(), )* ],
            };

            /// What is documented about it.
            #[must_use]
            $vis const fn rule(self) -> &'static $crate::rule::Rule {
                match self {
                    $( Self::$variant => {
                        const RULE: $crate::rule::Rule = $crate::rule::Rule::declared(
                            $id,
                            [$what, $why, $remedy],
                            &[$($reference),*],
                            false $( || $crate::rule::rules!(@ $root) )?,
                        );
                        &RULE
                    } )*
                }
            }

            /// The stable, dotted id.
            #[must_use]
            $vis const fn id(self) -> &'static str {
                self.rule().id
            }
        }
    };
    (@ root) => { true };
}

pub(crate) use rules;
