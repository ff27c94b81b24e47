//! Which part of the end-to-end tests runs before which engine. The machine's own has all of them in every
//! run; each other one has the few that say most in every run, and the rest when they are asked for
//! (`make test-engines`).

use super::dockerd::Engine;
use super::world::missing;
use super::{
    issued, limited, local, moved, parts, registry, remembered, storm, targets, tenants, tokens,
    walk,
};

/// Runs a part, or says that it was not tried.
fn on(engine: Engine, name: &str, part: fn(Engine)) {
    match engine.missing() {
        Some(why) => missing(&format!("{engine:?}: {name} was not tried: {why}")),
        None => part(engine),
    }
}

macro_rules! now {
    ($engine:expr; $($name:ident = $part:path,)*) => {
        $(#[test] fn $name() { on($engine, stringify!($name), $part); })*
    };
}

macro_rules! when_asked {
    ($engine:expr; $($name:ident = $part:path,)*) => {
        $(#[test] #[ignore = "make test-engines"] fn $name() { on($engine, stringify!($name), $part); })*
    };
}

/// What says most about an engine.
macro_rules! few {
    ($when:ident, $engine:expr) => {
        $when! { $engine;
            the_command_line_of_its_release_does_the_same_through_the_gate = parts::command_line,
            every_value_of_an_accepted_body_is_what_the_daemon_made = parts::differential,
            the_corpus_holds = parts::replay,
        }
    };
}

/// Everything else.
macro_rules! rest {
    ($when:ident, $engine:expr) => { $when! { $engine;
        a_daemon_that_is_away_is_a_502_at_once_and_is_found_again = parts::daemon_away,
        a_head_in_any_spelling_has_the_effect_that_was_judged_or_none = parts::hostile_heads,
        a_job_may_with_its_token_what_the_runner_may_not = tokens::a_job,
        a_key_is_issued_in_one_command_and_taken_back_in_one = issued::from_nothing_to_a_context_and_back,
        a_user_of_the_host_does_the_same_at_the_unix_socket = local::at_the_unix_socket,
        a_user_who_comes_by_ssh_does_the_same = local::by_ssh,
        an_image_is_judged_by_where_it_came_from = registry::play,
        bollard_does_the_same_through_the_gate = parts::bollard,
        compose_1_does_the_same_through_the_gate = parts::compose_1,
        docker_java_does_the_same_through_the_gate = parts::docker_java,
        docker_py_does_the_same_through_the_gate = parts::docker_py,
        dockerode_does_the_same_through_the_gate = parts::dockerode,
        devcontainer_does_the_same_through_the_gate = parts::devcontainer,
        testcontainers_does_the_same_through_the_gate = parts::testcontainers,
        the_docker_api_gem_does_the_same_through_the_gate = parts::docker_api,
        the_whole_surface_of_docker_py_does_the_same_through_the_gate = parts::docker_py_surface,
        every_value_is_what_the_daemon_made_at_older_versions_too = parts::differential_older,
        three_hundred_megabytes_are_saved_and_loaded_in_flat_memory = parts::three_hundred_megabytes,
        what_owns_the_host_is_refused_with_its_own_reason_and_recorded = parts::refusals,
        who_reaches_into_what_runs_finds_its_mounts_where_they_are = moved::begun,
        who_reaches_into_a_container_could_have_made_it = targets::play,
        what_the_daemon_does_not_take_over_is_no_tunnel = parts::no_tunnel,
    } };
}

/// Several tenants of one daemon.
macro_rules! of_tenants {
    ($when:ident, $engine:expr) => {
        $when! { $engine;
            a_tenant_works_as_if_alone = tenants::alone,
            a_tenant_works_as_if_alone_by_other_clients = tenants::alone_by_others,
            programs_do_their_work_under_their_presets = tenants::under_presets,
            limits_hold_whoever_asks_at_once = limited::play,
            an_own_container_is_looked_at_once = remembered::play,
            owners_have_bridges_of_their_own = tenants::bridges,
            what_a_profile_writes_in_is_what_runs = tenants::given,
            to_a_stranger_it_is_as_if_it_were_not_there = walk::play,
            two_tenants_storm_and_keep_what_they_have = storm::play,
        }
    };
}

/// What Debian 12 has no program for: those of the engine's release are there with the engine.
macro_rules! newer_clients {
    ($when:ident, $engine:expr) => {
        $when! { $engine;
            compose_2_does_the_same_through_the_gate = parts::compose_2,
        }
    };
}

mod machine {
    use super::{
        Engine, issued, limited, local, moved, on, parts, registry, remembered, storm, targets,
        tenants, tokens, walk,
    };
    few!(now, Engine::Machine);
    rest!(now, Engine::Machine);
    of_tenants!(now, Engine::Machine);
    now! { Engine::Machine;
        a_newer_command_line_does_the_same_through_the_gate = parts::newer_command_line,
        where_a_link_in_a_container_leads_is_judged_when_it_starts = moved::play,
        whoever_writes_in_a_listed_path_turns_no_other_into_a_link = moved::race,
    }
}

mod trixie {
    use super::{
        Engine, issued, limited, local, moved, on, parts, registry, remembered, storm, targets,
        tenants, tokens, walk,
    };
    few!(now, Engine::Trixie);
    rest!(when_asked, Engine::Trixie);
    of_tenants!(when_asked, Engine::Trixie);
    newer_clients!(when_asked, Engine::Trixie);
}

/// What engines before 28 tell of an image in containerd's store does not say that it is one.
mod trixie_containerd {
    use super::{Engine, on, parts, registry};
    now! { Engine::TrixieContainerd;
        an_image_is_judged_by_where_it_came_from = registry::play,
    }
    few!(when_asked, Engine::TrixieContainerd);
}

mod sid {
    use super::{
        Engine, issued, limited, local, moved, on, parts, registry, remembered, storm, targets,
        tenants, tokens, walk,
    };
    few!(now, Engine::Sid);
    rest!(when_asked, Engine::Sid);
    of_tenants!(when_asked, Engine::Sid);
    newer_clients!(when_asked, Engine::Sid);
}

mod sid_containerd {
    use super::{
        Engine, issued, limited, local, moved, on, parts, registry, remembered, storm, targets,
        tenants, tokens, walk,
    };
    few!(now, Engine::SidContainerd);
    rest!(when_asked, Engine::SidContainerd);
    of_tenants!(when_asked, Engine::SidContainerd);
    newer_clients!(when_asked, Engine::SidContainerd);
}
