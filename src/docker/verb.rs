//! Resources, verbs and their groups: the words in which a policy grants the API.

/// Declares an enum of words with `as_str`, `parse` and `ALL`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $( $variant:ident = $word:literal, )* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[allow(missing_docs, reason = "each variant is the word it is written as")]
        pub enum $name { $( $variant, )* }

        impl $name {
            /// Every word, in the order declared.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )* ];

            /// The word as it is written: in the policy file, the log, the docs, on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }

            /// The word's meaning, in exactly this spelling.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $( $word => Some(Self::$variant), )* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(super) use words;

words! {
    /// A kind of object that the daemon keeps. `Nothing` has the routes that nobody may use.
    Resource {
        System = "system", Container = "container", Image = "image", Registry = "registry",
        Build = "build", Volume = "volume", Network = "network", Service = "service",
        Task = "task", Node = "node", Secret = "secret", Config = "config", Swarm = "swarm",
        Plugin = "plugin", Debug = "debug", Nothing = "-",
    }
}

words! {
    /// What is done to a resource. `Never` is granted by nothing; `Reveal` has no endpoint.
    Verb {
        Ping = "ping", Version = "version", Info = "info", Df = "df", Events = "events",
        List = "list", Inspect = "inspect", Top = "top", Stats = "stats", Changes = "changes",
        Logs = "logs", Export = "export", CopyOut = "copy-out", CopyIn = "copy-in",
        Create = "create", Start = "start", Restart = "restart", Kill = "kill", Pause = "pause",
        Unpause = "unpause", Rename = "rename", Update = "update", Wait = "wait",
        Resize = "resize", Stop = "stop", Delete = "delete", Prune = "prune", Attach = "attach",
        Exec = "exec", Checkpoint = "checkpoint", Save = "save", Pull = "pull", Import = "import",
        Load = "load", Push = "push", Tag = "tag", Commit = "commit", Login = "login",
        Search = "search", Resolve = "resolve", Cancel = "cancel", Buildkit = "buildkit",
        Connect = "connect", Disconnect = "disconnect", UnlockKey = "unlock-key", Init = "init",
        Join = "join", Leave = "leave", Unlock = "unlock", Privileges = "privileges",
        Enable = "enable", Disable = "disable", Set = "set", Upgrade = "upgrade", Read = "read",
        Reveal = "reveal", Never = "never",
    }
}

words! {
    /// Verbs that are granted together. `Read` shows the state of things and nothing beyond; `Run` is what
    /// `docker run --rm -it` does.
    Group { Read = "read", Run = "run", }
}
