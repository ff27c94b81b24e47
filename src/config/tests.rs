use super::*;
use crate::docker::{Resource, Verb};
use crate::policy::grants::Spelling;
use crate::policy::manner::{Deletes, Execs};
use crate::policy::profile::UserRule;

mod risk;

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

fn with(rest: &str) -> Result<Config, Mistakes> {
    by("{ name: a, match: { cn: a }, roles: [r] }", rest)
}

/// A policy of these identities.
fn by(identities: &str, rest: &str) -> Result<Config, Mistakes> {
    let head = "version: 1
listen: [{ tls: '127.0.0.1:2376', certificate: c.pem, key: k.pem, client_ca: ca.pem }]
daemon: { socket: /run/docker.sock }
audit: { directory: log }
";
    parse(&format!("{head}identities: [{identities}]\n{rest}"), Path::new("/base"), now())
}

fn role(body: &str) -> crate::policy::Role {
    let config = with(&format!("roles: {{ r: {{ scope: any, {body} }} }}\n")).unwrap();
    crate::policy::Role::clone(&config.policy.roles["r"])
}

fn whats(rest: &str) -> Vec<String> {
    with(rest).unwrap_err().iter().map(|mistake| mistake.what.clone()).collect()
}

/// What an `allow` holds by `*` or a group: `task: list inspect` for each resource.
fn held(allow: &str) -> Vec<String> {
    let allow = role(&format!("allow: {{ {allow} }}")).allow;
    let held: Vec<_> = allow.iter().filter(|(.., spelling)| *spelling == Spelling::Wild).collect();
    let verbs = |of| held.iter().filter(move |(r, ..)| *r == of).map(|(_, verb, _)| verb.as_str());
    let line = |of: &Resource| format!("{of}: {}", verbs(*of).collect::<Vec<_>>().join(" "));
    Resource::ALL.iter().filter(|of| verbs(**of).next().is_some()).map(line).collect()
}

#[test]
fn the_words_of_a_group_are_these_and_no_others() {
    let read = [
        "system: version info df events",
        "container: list inspect top stats changes",
        "image: list inspect",
        "volume: list inspect",
        "network: list inspect",
        "service: list inspect",
        "task: list inspect",
        "node: list inspect",
        "secret: list inspect",
        "config: list inspect",
        "plugin: list inspect",
    ];
    assert_eq!(held("'*': [read]"), read);
    let run = ["container: logs create start kill wait resize stop delete attach"];
    assert_eq!(held("container: [run]"), run);
    assert_eq!(held("'*': [run]"), run);
    let all = [
        "system: ping version info df events",
        "container: list inspect top stats changes logs export copy-out create start restart \
         kill pause unpause rename update wait resize stop delete prune attach exec",
        "image: list inspect delete prune save pull push tag commit",
        "registry: login search resolve",
        "build: cancel",
        "volume: list inspect create delete prune",
        "network: list inspect create delete prune connect disconnect",
        "service: list inspect logs create update delete",
        "task: list inspect logs",
        "node: list inspect",
        "secret: list inspect create update delete",
        "config: list inspect create update delete",
        "plugin: list inspect",
    ];
    assert_eq!(held("'*': ['*']"), all);
}

#[test]
fn groups_grant_what_they_are_documented_to() {
    let allow = role("allow: { container: [read, run], debug: [read], image: ['*'] }").allow;
    let spelled = |resource, verb| {
        allow.iter().find(|(r, v, _)| (*r, *v) == (resource, verb)).map(|(_, _, s)| s)
    };
    assert_eq!(spelled(Resource::Container, Verb::Changes), Some(Spelling::Wild));
    assert_eq!(spelled(Resource::Container, Verb::Logs), Some(Spelling::Wild));
    assert_eq!(spelled(Resource::Container, Verb::Exec), None);
    assert_eq!(spelled(Resource::Debug, Verb::Read), Some(Spelling::Named));
    assert_eq!(spelled(Resource::Image, Verb::Delete), Some(Spelling::Wild));
    assert_eq!(spelled(Resource::Image, Verb::Load), None);
}

#[test]
fn the_resource_star_spells_nothing_out_but_reveal() {
    let allow = role("allow: { '*': ['*', reveal, prune, read] }").allow;
    let has = |r, v| allow.iter().find(|(of, verb, _)| (*of, *verb) == (r, v)).map(|x| x.2);
    assert_eq!(has(Resource::Build, Verb::Prune), None);
    assert_eq!(has(Resource::Container, Verb::Prune), Some(Spelling::Named));
    assert_eq!(has(Resource::Container, Verb::Create), Some(Spelling::Wild));
    assert_eq!(has(Resource::Build, Verb::Create), None, "its body is a stream");
    assert_eq!(has(Resource::Debug, Verb::Read), None);
    assert_eq!(has(Resource::Config, Verb::Reveal), Some(Spelling::Named));
    assert!(allow.iter().all(|(resource, ..)| resource != Resource::Nothing));
    let whats = whats("roles: { r: { scope: any, allow: { '*': [copy-in, never] } } }\n");
    assert_eq!(
        whats,
        ["\"copy-in\" must be granted by naming its resource", "unknown verb \"never\""]
    );
}

#[test]
fn a_deny_star_covers_what_must_be_spelled_out() {
    let deny = role("deny: { swarm: ['*'], '*': [prune] }").deny;
    assert!(deny.has(Resource::Swarm, Verb::UnlockKey));
    assert!(deny.has(Resource::Build, Verb::Prune) && deny.has(Resource::Image, Verb::Prune));
}

#[test]
fn what_is_not_named_beside_commands_is_not_granted() {
    let execs = |text: &str| role(&format!("exec: {text}")).execs;
    assert_eq!(role("allow: { container: [exec] }").execs, Execs::default());
    let only = execs("{ commands: [\"tool {rest}\"] }");
    assert!(only.commands.is_some_and(|all| all[0].matches(&["tool", "-x"])));
    assert_eq!(only.users, Some(vec![String::new()]), "the container's own");
    assert_eq!((only.env, only.working_dir), (Some(vec![]), Some(vec![])));
    assert!(!only.stdin && !only.tty && !only.privileged);
    let named = execs("{ users: [image, postgres], tty: true, env: [\"PG*\"] }");
    assert_eq!((named.commands, named.working_dir), (None, None));
    assert_eq!(named.users, Some(vec![String::new(), "postgres".to_owned()]));
    assert!(named.stdin && named.tty && !named.privileged);
    let child = "roles: { p: { scope: any, exec: { commands: [a] } }, r: { extends: p, exec: { tty: true } } }\n";
    let warned = with(child).unwrap().warnings;
    assert!(warned.iter().any(|warning| warning.what.contains("takes the place")), "{warned:?}");
    let deletes = role("delete: { force: true }").deletes;
    assert_eq!(deletes, Deletes { force: true, volumes: false, link: false });
    assert_eq!(role("allow: {}").deletes, Deletes::default());
}

#[test]
fn commands_that_are_none_are_told() {
    let of = |text: &str| whats(&format!("roles: {{ r: {{ scope: any, exec: {{ {text} }} }} }}\n"));
    assert_eq!(of("commands: ['{rest}', 'a  b', 'tool {1}']").len(), 3);
    assert_eq!(of("env: ['{1}']").len(), 1);
    let many = vec!["a"; 65].join(", ");
    assert_eq!(of(&format!("commands: [{many}]")).len(), 1);
    let sound =
        "roles: { r: { scope: any, exec: { commands: ['tool *'], env: ['A*'], tty: true } } }\n";
    assert!(with(sound).is_ok());
    let open =
        with("roles: { r: { scope: any, exec: { commands: ['sh -c {rest}'] } } }\n").unwrap();
    assert!(open.warnings.iter().any(|warning| warning.what.contains("is a shell")));
}

#[test]
fn a_child_adds_verbs_and_replaces_the_rest() {
    let config = with(
        "roles:
  p: { scope: any, admission: baseline, allow: { image: [pull] }, deny: { image: [tag] },
       images: { run: ['**'], pull: ['docker.io/**'] } }
  r: { extends: p, admission: x, allow: { image: [push] }, images: { run: ['ghcr.io/**'] } }
admission:
  x: { extends: y, pids: { max: 7 } }
  y: { extends: restricted, user: any, pids: { default: 3, max: 5 }, memory: { max: 1GiB } }
",
    )
    .unwrap();
    let role = &config.policy.roles["r"];
    assert!(
        role.allow.has(Resource::Image, Verb::Pull) && role.allow.has(Resource::Image, Verb::Push)
    );
    assert!(role.deny.has(Resource::Image, Verb::Tag));
    assert_eq!(role.run.iter().map(|p| p.as_str()).collect::<Vec<_>>(), ["ghcr.io/**"]);
    assert_eq!(role.pull.iter().map(|p| p.as_str()).collect::<Vec<_>>(), ["docker.io/**"]);
    let profile = role.admission.profile().unwrap();
    assert_eq!(profile.name, "x");
    assert_eq!((profile.pids.default, profile.pids.max), (None, Some(7)));
    assert_eq!(profile.memory.max, Some(1 << 30));
    assert_eq!(profile.user.allow, crate::policy::profile::UserRule::Any);
    assert!(profile.capabilities.drop_all.holds());
    let looser = |subject: &str, what: &str| {
        config.warnings.iter().any(|w| w.subject == subject && w.what.starts_with(what))
    };
    assert!(looser("admission y", "user is looser than in restricted"));
    assert!(looser("admission x", "pids is looser than in y"));
    assert!(looser("role p", "nobody holds it"));
}

#[test]
fn what_is_left_out_is_the_strict_choice() {
    let role = role("allow: { container: [create] }");
    assert_eq!(role.admission.profile().unwrap(), &Profile::restricted());
    assert!(role.run.is_empty() && role.pull.is_empty());
    let config = with("roles: { r: { scope: any } }\n").unwrap();
    assert_eq!(config.listen[0].tls().unwrap().tls_min, TlsMin::Tls13);
    assert_eq!(config.daemon.api_min, ApiVersion::FLOOR);
    assert_eq!(config.front, FrontLimits::default());
    assert_eq!(config.audit.directory, Path::new("/base/log"));
}

#[test]
fn circles_are_named_and_left() {
    let whats = whats(
        "roles: { r: { scope: any, extends: s }, s: { extends: r, admission: p } }
admission: { p: { extends: q }, q: { extends: p }, baseline: { extends: restricted } }
",
    );
    assert_eq!(
        whats,
        [
            "\"r\" extends itself in the end",
            "\"s\" extends itself in the end",
            "\"p\" extends itself in the end",
            "\"q\" extends itself in the end",
            "\"baseline\" is built in",
        ]
    );
}

#[test]
fn observing_ends_within_thirty_days() {
    let entry = |rest: &str| {
        let text = format!(
            "version: 1
listen: [{{ tls: systemd, certificate: c, key: k, client_ca: ca }}]
daemon: {{ socket: s }}
audit: {{ directory: log }}
identities: [{{ name: a, match: {{ cn: a }}, roles: [r], {rest} }}]
roles: {{ r: {{ scope: any }} }}
"
        );
        parse(&text, Path::new(""), now()).map(|config| config.policy.identities[0].mode())
    };
    let until = now().as_second() + 30 * 86_400;
    let observe = |until| Ok(crate::identity::Mode::Observe { until });
    assert_eq!(entry("mode: observe, until: 2026-12-21T12:00:00Z"), observe(until));
    assert_eq!(entry("mode: observe, until: 2026-12-21"), observe(until - 43_200));
    assert!(entry("mode: observe, until: '2026-12-21T12:00:01Z'").is_err());
    assert!(entry("mode: observe").is_err());
    assert!(entry("until: 2026-12-01").is_err());
    assert!(entry("danger_observe_root: true").is_err());
    // over already: a gate that must start again at night starts, and refuses what it refuses
    assert!(entry("mode: observe, until: 2026-01-01").is_ok());
}

#[test]
fn the_hash_is_that_of_the_text() {
    let text = "roles: { r: { scope: any } }\n";
    let (one, two) = (with(text).unwrap(), with(&format!("{text}# x\n")).unwrap());
    assert_eq!(one.policy.hash, Sha256::of(one.text.as_bytes()));
    assert_eq!(one.policy.hash, with(text).unwrap().policy.hash);
    assert_ne!(one.policy.hash, two.policy.hash);
}

#[test]
fn a_child_has_its_parents_exceptions_on_its_own_rules() {
    let config = with(
        "roles: { r: { scope: any, admission: child }, s: { scope: any, admission: other } }
admission:
  parent:
    extends: restricted
    memory: { default: 1GiB }
    images: [{ match: ['docker.io/library/mysql:8'], user: any }]
  child: { extends: parent, memory: { default: 2GiB } }
  other: { extends: child, images: [{ match: ['**'], host_paths: [{ path: /root/x }] }] }
",
    )
    .unwrap();
    let of = |name: &str| config.profiles[name].images[0].clone();
    assert_eq!(of("child").matching[0].as_str(), "docker.io/library/mysql:8");
    assert_eq!(of("child").profile.memory.default, Some(2 << 30));
    assert_eq!(of("child").profile.user.allow, UserRule::Any);
    assert_eq!(of("parent").profile.memory.default, Some(1 << 30));
    assert_eq!(of("other").profile.user.allow, UserRule::NonRoot);
    assert_eq!(of("other").profile.images, []);
    let told: Vec<_> =
        config.warnings.iter().map(|w| format!("{}: {}", w.subject, w.what)).collect();
    let looser = "admission child for images docker.io/library/mysql:8: user is looser than in child, in which it stands";
    assert!(told.iter().any(|line| line == looser), "{told:#?}");
    let root = config.warnings.iter().find(|warning| warning.root).unwrap();
    assert_eq!(root.subject, "admission other for images **");
    assert_eq!(config.warnings.iter().filter(|warning| warning.root).count(), 1);
}

#[test]
fn root_on_the_host_is_called_so() {
    let config = with(
        "roles:
  r: { scope: any, admission: p, allow: { container: [exec, create], build: [buildkit] }, images: { run: ['**'] } }
  adm: { scope: any, admission: unrestricted, allow: { '*': ['*'] } }
admission:
  p:
    extends: baseline
    capabilities: { add: [SYS_ADMIN, CHOWN] }
    devices: [/dev/kmsg]
    host_paths:
      - { path: /etc/cron.d }
      - { path: /var/run/docker.sock, read_only: true }
      - { path: /srv/cache }
      - { path: /usr, read_only: true }
      - { path: /srv/moved, danger_movable: true }
    volume_options:
      - { type: none, device: /root, o: bind }
      - { type: none, device: /home/*, o: bind }
      - { type: none, device: /srv/volumes/*, o: bind }
      - { type: overlay, device: overlay, o: 'lowerdir=/srv/low,upperdir=/etc/up,workdir=/srv/work' }
    nested_mounts: true
",
    )
    .unwrap();
    let root: Vec<String> = config
        .warnings
        .iter()
        .filter(|w| w.root)
        .map(|w| format!("{}: {}", w.subject, w.what))
        .collect();
    for expected in [
        "role adm: admission: unrestricted",
        "role r: build.buildkit",
        "admission p: host_paths: /etc/cron.d can be written",
        "admission p: host_paths: /var/run/docker.sock is a socket",
        "admission p: capabilities: SYS_ADMIN can",
        "admission p: devices: /dev/kmsg",
        "admission p: host_paths: /srv/moved danger_movable",
        "admission p: volume_options: /root can be written",
        "admission p: volume_options: /home/* can be written",
        "admission p: volume_options: /etc/up can be written",
        "admission p: nested_mounts: who writes",
    ] {
        assert!(root.iter().any(|warning| warning.starts_with(expected)), "{expected}: {root:#?}");
    }
    assert!(
        !root.iter().any(|warning| warning.contains("/srv") && !warning.contains("/srv/moved")
            || warning.contains("/usr can"))
    );
    assert!(config.warnings.iter().any(|w| w.what.contains("/usr can be read")));
}

#[test]
fn a_carriage_return_alone_ends_a_line_for_the_carets_too() {
    let mistakes =
        with("roles: { r: { scope: any,\r admission: baseline } }\nfoo: 1\n").unwrap_err();
    let mistake = mistakes.iter().find(|mistake| mistake.what.contains("foo")).unwrap();
    assert_eq!((mistake.text.as_str(), mistake.width), ("foo: 1", 3), "{mistake:?}");
}

fn valid(text: &str) -> Result<Config, Mistakes> {
    let text = format!(
        "version: 1
listen: [{{ tls: systemd, certificate: c, key: k, client_ca: ca }}]
daemon: {{ socket: s }}
audit: {{ directory: log }}
identities: [{{ name: a, match: {{ cn: a }}, roles: [r], valid: {{ {text} }} }}]
roles: {{ r: {{ scope: any }} }}
"
    );
    parse(&text, Path::new(""), now())
}

#[test]
fn valid_is_read_in_its_zone() {
    for (text, shown) in [
        (
            "days: mon-fri, hours: '08:00-18:00', zone: Europe/Berlin, until: 2027-06-30",
            "mon-fri 08:00-18:00 Europe/Berlin until 2027-06-29T22:00:00Z",
        ),
        ("until: 2027-06-30", "until 2027-06-30T00:00:00Z"),
        ("until: 2027-06-30, zone: America/New_York", "until 2027-06-30T04:00:00Z"),
        ("until: '2027-06-30T12:00:00+02:00'", "until 2027-06-30T10:00:00Z"),
        ("hours: 22:00-06:00", "mon-sun 22:00-06:00 UTC"),
        ("days: [sat, sun]", "sat-sun UTC"),
        ("days: 'sat,sun'", "sat-sun UTC"),
        ("days: [mon-wed, fri]", "mon-wed,fri UTC"),
    ] {
        let config = valid(text).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(config.policy.identities[0].valid().unwrap().to_string(), shown, "{text}");
        assert!(!config.warnings.iter().any(|w| w.subject == "identity a"), "{text}");
    }
    let over = valid("until: 2026-11-21").unwrap();
    let warned = over.warnings.iter().find(|w| w.subject == "identity a").unwrap();
    assert_eq!(warned.what, "valid until 2026-11-21T00:00:00Z: over, it is refused");
}

/// What a machine is set to, and what counts leap seconds, is no zone; nor is another spelling.
#[test]
fn a_zone_is_the_same_everywhere() {
    for wrong in [
        "localtime",
        "europe/berlin",
        "utc",
        "right/UTC",
        "Etc/Unknown",
        "CEST",
        "../UTC",
        "+02:00",
    ] {
        assert!(valid(&format!("days: mon, zone: '{wrong}'")).is_err(), "{wrong}");
    }
    for zone in ["UTC", "Europe/Berlin", "Asia/Kolkata", "Etc/GMT-3"] {
        assert!(valid(&format!("days: mon, zone: {zone}")).is_ok(), "{zone}");
    }
}

/// On a machine without zoneinfo the bundled rules serve.
#[test]
fn zones_are_known_without_the_system() {
    let bundled = jiff::tz::TimeZoneDatabase::bundled();
    assert!(bundled.get("Europe/Berlin").is_ok() && bundled.get("Europe/Bonn").is_err());
}

#[test]
fn tokens_are_taken_from_the_issuers_that_are_listed() {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config");
    let with = |identities: &str, tokens: &str| {
        let head = "version: 1
listen: [{ tls: '127.0.0.1:2376', certificate: c.pem, key: k.pem, client_ca: ca.pem }]
daemon: { socket: /run/docker.sock }
audit: { directory: log }
roles: { r: { scope: any } }
";
        let issuer = "issuer: 'https://git.example.org', audience: gate, keys: keys/issuer.json";
        let text = format!(
            "{head}tokens: {{ {tokens} issuers: [{{ {issuer} }}] }}\nidentities:\n{identities}"
        );
        parse(&text, &base, now()).unwrap_or_else(|why| panic!("{why}"))
    };
    let plain = "  - { name: 'ci-{1}', match: { uri: 'ci:*' }, roles: [r] }\n";
    let warned = |config: &Config| {
        let about = |w: &&Warning| w.subject.starts_with("identity") || w.subject == "tokens";
        config.warnings.iter().filter(about).map(|w| w.what.clone()).collect::<Vec<_>>()
    };

    let bound =
        "  - { name: 'main-{1}', match: { uri: 'ci:*', token: { p: 'a/{1}' } }, roles: [r] }\n";
    let config = with(&format!("{plain}{bound}"), "");
    let tokens = config.policy.tokens.as_ref().unwrap();
    assert_eq!(tokens.header, "x-dockward-token");
    assert_eq!(tokens.issuers.iter().map(|i| i.audience()).collect::<Vec<_>>(), ["gate"]);
    assert_eq!(config.key_sets.len(), 1);
    assert_eq!(config.key_sets[0].path, base.join("keys/issuer.json"));
    let text = std::fs::read_to_string(base.join("keys/issuer.json")).unwrap();
    assert_eq!(config.key_sets[0].sha256, Sha256::of(text.as_bytes()));
    assert_eq!(warned(&config), [""; 0]);
    let left_out = config.warnings.iter().find(|w| w.subject == "tokens https://git.example.org");
    assert!(left_out.unwrap().what.starts_with("key 2 is left out"));
    let [_, rule] = config.policy.identities.as_slice() else { panic!() };
    assert!(rule.matching().asks_for_a_token());

    let named = with(&format!("{plain}{bound}"), "header: X-CI-Token,");
    assert_eq!(named.policy.tokens.unwrap().header, "x-ci-token");
    assert!(warned(&with(plain, ""))[0].starts_with("no identity asks for a token"));
    for (claims, warning) in [
        ("ref: main", Some("no claim is compared with")),
        ("p: 'a/*'", Some("no claim is compared with")),
        ("p: '{1}', ref: '*'", None),
    ] {
        let rule = format!(
            "  - {{ name: 'x-{{1}}', match: {{ cn: '*', token: {{ {claims} }} }}, roles: [r] }}\n"
        );
        let found = warned(&with(&rule, ""));
        assert_eq!(found.len(), usize::from(warning.is_some()), "{claims}: {found:?}");
        assert!(found.iter().all(|what| what.starts_with(warning.unwrap())), "{claims}: {found:?}");
    }
    for (claims, warning) in
        [("ref: '*'", true), ("iss: 'https://git.example.org'", true), ("p: a/b", false)]
    {
        let rule =
            format!("  - {{ name: x, match: {{ cn: x, token: {{ {claims} }} }}, roles: [r] }}\n");
        let found = warned(&with(&rule, ""));
        assert_eq!(
            found.iter().any(|what| what.starts_with("no claim is written out")),
            warning,
            "{claims}"
        );
    }
}
