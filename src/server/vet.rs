//! What would keep a gate from serving here, found without starting one: the eyes of `serve` for `check`. All of it at
//! once, and nothing is made or changed.

use super::reload::names;
use super::{ServerError, credentials, guard};
use crate::audit::{self, AuditError};
use crate::config::{Bind, Config, Listen, ListenWay, TlsListen, UnixBind, UnixListen};
use crate::control::{ControlError, client};
use crate::pki::ca::layout;
use crate::problem::{Actionable as _, Problem};
use crate::proxy::{ListenError, Secured, SocketFile};
use jiff::Timestamp;
use rustix::fs::{Access, access};
use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Vetted {
    /// What keeps it from serving, each once.
    pub(crate) faults: Vec<Problem>,
    /// What serves all the same, and deserves a look.
    pub(crate) warnings: Vec<String>,
}

impl Vetted {
    fn fault(&mut self, fault: impl Into<ServerError>) {
        let problem = fault.into().problem();
        if !self.faults.contains(&problem) {
            self.faults.push(problem);
        }
    }
}

/// Looks at everything that a gate with this configuration reads, writes and opens, as whoever runs this.
pub(crate) fn vet(config: &Config, now: Timestamp) -> Vetted {
    let mut found = Vetted::default();
    for file in names(config).collect::<BTreeSet<_>>() {
        match guard::look(&file) {
            Ok(warning) => found.warnings.extend(warning),
            Err(open) => found.fault(open),
        }
    }
    let control = config.control.as_deref();
    let serves = control.is_some_and(client::is_listening);
    for listen in &config.listen {
        match &listen.way {
            ListenWay::Tls(tls) => of_tls(config, tls, serves, now, &mut found),
            ListenWay::Unix(unix) => of_unix(unix, serves, &mut found),
        }
    }
    if let Some(Err(why)) = control.map(of_control) {
        found.fault(why);
    }
    if let Err(why) = of_log(&config.audit.directory) {
        found.fault(why);
    }
    if !config.daemon.socket.exists() {
        let socket = config.daemon.socket.display();
        found
            .warnings
            .push(format!("no daemon is at {socket}: requests get 502 until there is one"));
    }
    found
}

fn of_unix(unix: &UnixListen, serves: bool, found: &mut Vetted) {
    let UnixBind::Path(path) = &unix.bind else { return };
    if let Err(why) = SocketFile::vet(path, unix.group) {
        found.fault(ListenError::Make(path.clone(), why));
    } else if !serves && client::is_listening(path) {
        found.warnings.push(taken(&path.display()));
    }
}

fn of_tls(config: &Config, tls: &TlsListen, serves: bool, now: Timestamp, found: &mut Vetted) {
    match Secured::load(&credentials(tls), now.as_second()) {
        Ok((_, warnings)) => found.warnings.extend(warnings),
        Err(_) => {
            let faults = Secured::faults(&credentials(tls), now.as_second());
            faults.into_iter().for_each(|why| found.fault(why));
        }
    }
    if tls.crl.is_none() && has_lists(config, tls) {
        found.warnings.push(format!(
            "listener {} has no crl: whoever is revoked is let in there; write crl: with the lists of {}",
            shown(tls.address),
            tls.client_ca.display()
        ));
    }
    let Bind::Address(address) = tls.address else { return };
    match TcpListener::bind(address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && serves => {} // by the gate itself
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            found.warnings.push(taken(&address));
        }
        Err(error) => found.fault(ListenError::Bind(address, error)),
        Ok(_) => {}
    }
}

fn taken(place: &dyn std::fmt::Display) -> String {
    format!("{place}: somebody listens there already; unless that is this gate, it cannot start")
}

fn shown(address: Bind) -> String {
    match address {
        Bind::Address(address) => SocketAddr::to_string(&address),
        Bind::Systemd => "systemd".to_owned(),
    }
}

/// Whether the authority of a listener publishes lists: it is one of `dockward certs`, a list lies beside it, or
/// another listener asks its list.
fn has_lists(config: &Config, tls: &TlsListen) -> bool {
    let real = std::fs::canonicalize(&tls.client_ca).unwrap_or_else(|_| tls.client_ca.clone());
    let beside = |name: &str| real.parent().is_some_and(|directory| directory.join(name).exists());
    let mut others = config.listen.iter().filter_map(Listen::tls);
    beside(layout::INDEX)
        || beside(layout::CRL)
        || others.any(|other| other.client_ca == tls.client_ca && other.crl.is_some())
}

fn of_control(path: &Path) -> Result<(), ControlError> {
    let failed = |error| ControlError::Io(path.to_owned(), error);
    let Some(directory) = path.parent() else { return Ok(()) };
    if !directory.exists() {
        return can_make(directory).map_err(failed);
    }
    SocketFile::vet(path, None).map_err(|why| ControlError::Place(path.to_owned(), why.problem()))
}

fn of_log(directory: &Path) -> Result<(), AuditError> {
    if directory.exists() {
        return audit::vet(directory);
    }
    let failed = |source| AuditError::Directory {
        path: directory.to_owned(),
        source: std::sync::Arc::new(source),
    };
    can_make(directory).map_err(failed)
}

/// Whether a directory could be made: the nearest that is there is one that we may write to.
fn can_make(directory: &Path) -> io::Result<()> {
    let nearest = directory.ancestors().find(|above| above.exists()).unwrap_or(Path::new("/"));
    if !nearest.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(access(nearest, Access::WRITE_OK | Access::EXEC_OK)?)
}
