//! What comes of a request that is allowed: the permit, with the request as the daemon gets it.

use super::admit;
use super::alias;
use super::answer::rewrite;
use super::bridge;
use super::decision::Finding;
use super::facts::{Exec, Facts, Seen};
use super::owner::Viewer;
use super::permit::{Makes, Permit};
use super::quota::demand;
use super::scope::kind_of;
use super::stamp;
use super::subject::Subject;
use super::terms::{self, Term};
use crate::docker::body::Body;
use crate::docker::{
    ApiCall, CallHead, Framing, Hijack, Life, Mention, Object, Outbound, OutboundBody, Spot, Use,
    Verb,
};
use crate::identity::Mode;
use bytes::Bytes;

/// The permit, with the request as the daemon gets it: the terms applied to what was judged.
pub(super) fn permit(
    by: Subject<'_>,
    call: &ApiCall<'_>,
    role: &str,
    would: Vec<Finding>,
    facts: Facts,
) -> Box<Permit> {
    let route = call.head.route;
    let carrier = by.policy.roles.get(role);
    let stripped = carrier.and_then(|role| admit::omitted(role, call, &facts));
    let call = stripped.as_ref().map_or(call, |(call, _)| call);
    let judged = carrier.and_then(|role| Some((role, role.admission.profile()?)));
    let mut terms: Vec<Term> = resolved(call.head, &facts).into_iter().collect();
    if let Some((role, profile)) = judged {
        let profile = admit::profile_of(profile, call, &facts);
        terms.extend(admit::terms(role, profile, call, &facts));
    }
    let viewer = carrier.map(|role| Viewer::new(by, &role.held_by(by.identity)));
    // who is only observed sees all, names things as he likes, and removes by the way none but its own
    let observed = matches!(by.identity.mode, Mode::Observe { .. });
    // as they are named before they go on by their ids
    let renames = viewer.iter().filter(|_| !observed);
    terms.extend(renames.flat_map(|viewer| alias::terms(viewer, call, &facts)));
    terms.extend(by_id(call, &facts));
    terms.extend(carrier.into_iter().flat_map(|role| stamp::terms(by, role, call, &facts)));
    let own = carrier.map(|role| bridge::terms(by, role, call, &facts)).unwrap_or_default();
    let (bridged, prepares) = own;
    terms.extend(bridged);
    let narrows = |_: &&Viewer| !observed || call.head.route.verb == Verb::Prune;
    terms.extend(viewer.iter().filter(narrows).flat_map(|viewer| narrowed(viewer, call.head)));
    terms.extend(call.left_out.places().iter().cloned().map(Term::LeaveOut));
    terms.extend(
        stripped
            .iter()
            .flat_map(|(_, places)| places)
            .cloned()
            .map(|(what, place)| Term::Omit(what, place)),
    );
    let answer =
        rewrite(call, viewer.as_ref().filter(|_| !observed), &facts, terms::told::told(&terms));
    let mut head = call.head.clone();
    let touched = terms::touch_body(&terms);
    let mut body = if touched { call.body.clone() } else { Body::None };
    terms::apply(&terms, &mut head, &mut body);
    let demand = match by.identity.limits {
        // facts are kept by the names that were asked for
        Some(_) => demand(call.head, if touched { &body } else { &call.body }, &facts),
        None => None,
    };
    let makes = made(call.head, if touched { &body } else { &call.body }, &facts);
    let json = if touched { &body } else { &call.body }.serialise();
    Box::new(Permit {
        role: role.to_owned(),
        grant: format!("{}.{}", route.resource, route.verb),
        would,
        terms,
        facts,
        policy: Some(by.policy.hash),
        outbound: outbound(&head, call, json),
        answer: Some(answer),
        demand,
        prepares,
        makes,
    })
}

/// What is made: an exec as the daemon will tell of it, by its container's full id.
fn made(head: &CallHead, body: &Body<'_>, facts: &Facts) -> Option<Makes> {
    match body {
        Body::ExecCreate(exec) => {
            let container = facts.containers.get(head.target()?)?.found()?;
            let user = exec.user.text();
            Some(Makes::Exec(Exec {
                container: container.id.clone(),
                takes_input: exec.attach_stdin.0.or_zero(),
                privileged: exec.privileged.or_zero(),
                user: if user.is_empty() { container.user.clone() } else { user.to_owned() },
                tty: exec.tty.0.or_zero(),
                words: exec.cmd.items().iter().map(ToString::to_string).collect(),
            }))
        }
        Body::ContainerCreate(create) => {
            let fleeting = create.host_config.value().is_some_and(|of| of.auto_remove.0.or_zero());
            fleeting.then_some(Makes::Fleeting)
        }
        _ => None,
    }
}

/// A container or network that was looked at is named by its full id, so that the one that was judged is
/// the one that is meant.
fn resolved(head: &CallHead, facts: &Facts) -> Option<Term> {
    let Mention { object, name, .. } = head.mention()?;
    // a link is a name below the container's own, which the daemon does not find below its id (`containerRm` with
    // `RemoveLink` in moby's `daemon/delete.go`)
    let by_name = head.route.path.ends_with("/{link}");
    let id = match object {
        Object::Container if by_name => &facts.containers.get(name.as_ref())?.found()?.name,
        Object::Container => &facts.containers.get(name.as_ref())?.found()?.id,
        Object::Network => &facts.networks.get(name.as_ref())?.found()?.id,
        Object::Kept(kind) => &facts.kept.get(&(kind, name.to_string()))?.found()?.id,
        _ => return None,
    };
    (name != *id).then(|| Term::Resolve(id.clone()))
}

/// The networks and containers that query and body name, by their full ids: what each was judged as is what the daemon
/// looks for.
fn by_id(call: &ApiCall<'_>, facts: &Facts) -> Vec<Term> {
    let mut terms = Vec::new();
    for Mention { object, name, used, at: _ } in
        call.mentions().into_iter().filter(|m| m.at != Spot::Path)
    {
        let given = name.to_string();
        let term = match (object, used) {
            (Object::Network, Use::Join) => {
                let found = facts.networks.get(name.as_ref()).and_then(Seen::found);
                found.map(|network| {
                    (network.id.clone(), Term::Network { given, id: network.id.clone() })
                })
            }
            (Object::Container, used) if used != Use::Name => {
                let plain = name.strip_prefix('/').unwrap_or(&name);
                let found = facts.containers.get(plain).and_then(Seen::found);
                found.map(|of| (of.id.clone(), Term::Container { given, id: of.id.clone() }))
            }
            _ => None,
        };
        if let Some((id, term)) = term
            && id != name
            && !terms.contains(&term)
        {
            terms.push(term);
        }
    }
    terms
}

/// What is listed or pruned of what somebody may see, where the daemon can tell it by one label.
fn narrowed(viewer: &Viewer, head: &CallHead) -> Option<Term> {
    let kind = kind_of(head.route.resource).filter(|kind| viewer.is_narrow(*kind))?;
    let label = match head.route.verb {
        Verb::Prune => viewer.label_of_own(kind)?,
        Verb::List => viewer.label_of_all(kind)?,
        _ => return None,
    };
    Some(Term::Filter("label", label))
}

fn outbound(head: &CallHead, call: &ApiCall<'_>, json: Option<Vec<u8>>) -> Outbound {
    let route = head.route;
    let detached = matches!(&call.body, Body::ExecStart(start) if start.detach.or_zero());
    let body = match (json, &call.body) {
        (Some(json), _) => OutboundBody::Json(Bytes::from(json)),
        (None, Body::Opaque | Body::Archive(_)) => OutboundBody::Stream {
            length: match head.framing {
                Framing::Empty => Some(0),
                Framing::Length(length) => Some(length),
                Framing::Chunked => None,
            },
        },
        (None, _) => OutboundBody::Empty,
    };
    Outbound {
        method: route.method,
        target: head.target_uri(),
        headers: head.headers.clone(),
        body,
        hijack: if detached { Hijack::No } else { route.hijack },
        life: if detached { Life::Write } else { route.life },
    }
}
