//! What is left of answers, for several who ask.

use super::*;
use crate::config;
use crate::identity::{Identity, supposed};
use crate::policy::subject::Subject;
use serde_json::json;
use std::path::Path;

const POLICY: &str = r#"
version: 1
listen: [{ tls: "127.0.0.1:2376", certificate: c.pem, key: k.pem, client_ca: ca.pem }]
daemon: { socket: /run/docker.sock }
audit: { directory: log }
identities:
  - { name: anna, match: { cn: anna }, roles: [own] }
  - { name: shop-1, match: { cn: shop-1 }, owner: team-shop, roles: [team] }
  - { name: friend, match: { cn: friend }, sees: [team-shop], roles: [friend] }
  - { name: auditor, match: { cn: auditor }, roles: [auditor] }
  - { name: chief, match: { cn: chief }, roles: [chief] }
roles:
  own: { scope: own, allow: { "*": [read] }, images: { pull: ["docker.io/library/*"] } }
  team: { extends: own, scope: team }
  friend: { extends: own, shared: { container: [read], volume: [read], service: [read], config: [read] } }
  auditor: { scope: any, allow: { "*": [read] } }
  chief: { scope: any, allow: { "*": [read, reveal] } }
adopt:
  - { owner: anna, volumes: [old-*] }
"#;

/// The sight of somebody by the first role held.
fn sight(name: &str, shown: Shown) -> Sight {
    let now = "2026-11-30T00:00:00Z".parse().unwrap();
    let policy = config::parse(POLICY, Path::new("/"), now).unwrap().policy;
    let identity: Identity = supposed(&policy.identities, &name.parse().unwrap()).unwrap();
    let by = Subject { identity: &identity, policy: &policy };
    Sight::new(Viewer::new(by, &policy.roles[&identity.roles[0]]), shown, Verb::List)
}

fn left(name: &str, shown: Shown, body: &Value) -> Option<Value> {
    let on_it = ["c-anna".to_owned()].into();
    match sight(name, shown).sift(body.to_string().as_bytes(), &on_it).unwrap() {
        Sifted::Left(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Sifted::NotThere(_) => None,
    }
}

fn labels(owner: &str, maker: &str) -> Value {
    json!({ "dockward.owner": owner, "dockward.identity": maker })
}

fn names(list: &Value, key: &str) -> Vec<String> {
    let items = list.as_array().unwrap().iter();
    items.map(|item| item.pointer(key).unwrap().as_str().unwrap().to_owned()).collect()
}

#[test]
fn of_a_list_everybody_gets_what_is_there_for_him() {
    let all = json!([
        { "Id": "1", "Names": ["/a"], "Labels": labels("anna", "anna") },
        { "Id": "2", "Names": ["/b"], "Labels": labels("team-shop", "shop-1") },
        { "Id": "3", "Names": ["/c"], "Labels": labels("team-shop", "shop-2") },
        { "Id": "4", "Names": ["/d"], "Labels": {} },
        { "Id": "5", "Names": ["/e"] },
        { "Id": "6", "Names": ["/f"], "Labels": { "Dockward.owner": "anna", "Dockward.identity": "anna" } },
    ]);
    let of =
        |name: &str| names(&left(name, Shown::List(Resource::Container), &all).unwrap(), "/Id");
    assert_eq!(of("anna"), ["1"]);
    assert_eq!(of("shop-1"), ["2", "3"]);
    assert_eq!(of("friend"), ["2", "3"]);
    assert_eq!(of("auditor").len(), 6);
    for nothing in [json!([]), Value::Null] {
        assert_eq!(left("anna", Shown::List(Resource::Container), &nothing), Some(nothing));
    }
}

#[test]
fn an_object_of_a_list_is_passed_on_as_it_was_written() {
    let body = br#"[ {"Z":1.0,"Labels":{"dockward.owner":"anna","dockward.identity":"anna"}, "A":[ ]} ,{"Labels":null}]"#;
    let sifted = sight("anna", Shown::List(Resource::Container)).sift(body, &BTreeSet::new());
    let Sifted::Left(bytes) = sifted.unwrap() else { panic!("it is a list") };
    let wanted =
        r#"[{"Z":1.0,"Labels":{"dockward.owner":"anna","dockward.identity":"anna"}, "A":[ ]}]"#;
    assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
}

#[test]
fn what_is_not_a_list_is_not_passed_on() {
    for body in ["{}", "no", "", "[1", r#"{"Volumes":3}"#] {
        for shown in [Shown::List(Resource::Volume), Shown::List(Resource::Container), Shown::Usage]
        {
            let sifted = sight("anna", shown).sift(body.as_bytes(), &BTreeSet::new());
            let nothing = |bytes: &[u8]| !bytes.windows(1).any(|b| b == b"3");
            assert!(
                sifted.is_err() || matches!(sifted, Ok(Sifted::Left(bytes)) if nothing(&bytes)),
                "{body}"
            );
        }
    }
}

#[test]
fn volumes_are_listed_by_owner_or_adopted_by_name_and_options_of_others_are_not_told() {
    let options = json!({ "o": "password=hunter2", "type": "cifs" });
    let all = json!({ "Volumes": [
        { "Name": "v1", "Labels": labels("anna", "anna"), "Options": options },
        { "Name": "old-1", "Labels": null, "Options": options },
        { "Name": "v2", "Labels": labels("team-shop", "shop-1"), "Options": options },
        { "Name": "v3", "Labels": null, "Options": null },
    ], "Warnings": null });
    let shown = Shown::List(Resource::Volume);
    let of = |name: &str| left(name, shown, &all).unwrap()["Volumes"].clone();
    assert_eq!(names(&of("anna"), "/Name"), ["v1", "old-1"]);
    assert_eq!(of("anna")[0]["Options"], options, "one's own are told whole");
    assert_eq!(names(&of("friend"), "/Name"), ["v2"]);
    assert_eq!(of("friend")[0]["Options"], json!({ "o": "<redacted>", "type": "<redacted>" }));
    assert!(!of("auditor").to_string().contains("hunter2"));
    assert_eq!(of("chief"), all["Volumes"]);
    let one =
        |name: &str, nth: usize| left(name, Shown::One(Resource::Volume), &all["Volumes"][nth]);
    assert_eq!(one("anna", 2), None, "it has become somebody else's");
    assert_eq!(one("anna", 0).unwrap()["Options"], options);
    assert_eq!(left("anna", Shown::Made, &all["Volumes"][2]), None);
}

#[test]
fn environments_of_others_are_not_told() {
    let container = |owner: &str| json!({ "Id": "1", "Name": "/a", "Config": { "Env": ["A=hunter2"], "Labels": labels(owner, owner) } });
    let told = |name: &str, owner: &str| {
        let one = left(name, Shown::One(Resource::Container), &container(owner)).unwrap();
        one["Config"]["Env"][0].as_str().unwrap().to_owned()
    };
    assert_eq!(told("auditor", "anna"), "A=<redacted>");
    assert_eq!(told("friend", "team-shop"), "A=<redacted>");
    assert_eq!(told("anna", "anna"), "A=hunter2");
    assert_eq!(told("chief", "anna"), "A=hunter2");
    let task = json!([{ "ID": "t", "Spec": { "ContainerSpec": {
        "Env": ["A=hunter2"], "Labels": labels("team-shop", "shop-1") } } }]);
    let shown = Shown::List(Resource::Task);
    assert_eq!(left("anna", shown, &task), Some(json!([])));
    assert_eq!(left("shop-1", shown, &task), Some(task.clone()));
    assert!(!left("friend", shown, &task).unwrap().to_string().contains("hunter2"));
    let image = |labels: Value, name: &str| json!({ "Id": "i", "RepoTags": [name], "Config": { "Env": ["A=hunter2"], "Labels": labels } });
    let shown = Shown::One(Resource::Image);
    let pulled = image(Value::Null, "busybox:latest");
    assert_eq!(left("anna", shown, &pulled), Some(pulled.clone()), "whoever may pull it sees it");
    assert_eq!(left("anna", shown, &image(Value::Null, "ghcr.io/x:1")), None);
    assert!(!left("auditor", shown, &pulled).unwrap().to_string().contains("hunter2"));
}

#[test]
fn a_network_has_the_containers_that_are_there_for_who_asks() {
    let network = json!({ "Name": "bridge", "Id": "n", "Containers": { "c-anna": { "Name": "a" }, "c-bert": { "Name": "b" } },
        "Labels": {}, "Services": { "x": {} } });
    let left = left("anna", Shown::Joined, &network).unwrap();
    assert_eq!(left["Containers"], json!({ "c-anna": { "Name": "a" } }));
    assert_eq!(left.get("Services"), None);
}

#[test]
fn usage_is_of_what_is_there_for_who_asks() {
    let all = json!({
        "LayersSize": 1000,
        "Images": [
            { "Id": "i1", "RepoTags": ["busybox:latest"], "Size": 10, "Containers": 7 },
            { "Id": "i2", "RepoTags": ["x:1"], "Labels": labels("bert", "bert"), "Size": 20, "Containers": 1 },
        ],
        "Containers": [
            { "Id": "1", "ImageID": "i1", "Labels": labels("anna", "anna") },
            { "Id": "2", "ImageID": "i1", "Labels": labels("bert", "bert") },
        ],
        "Volumes": [{ "Name": "v", "Labels": labels("bert", "bert"), "UsageData": {} }],
        "BuildCache": [{ "ID": "b" }],
    });
    let own = left("anna", Shown::Usage, &all).unwrap();
    assert_eq!(names(&own["Images"], "/Id"), ["i1"]);
    assert_eq!((&own["Images"][0]["Containers"], &own["LayersSize"]), (&json!(1), &json!(10)));
    assert_eq!(names(&own["Containers"], "/Id"), ["1"]);
    assert_eq!((own["Volumes"].as_array().unwrap().len(), own.get("BuildCache")), (0, None));
    let newer = json!({ "ContainerUsage": { "TotalCount": 2, "TotalSize": 5, "Items": all["Containers"] } });
    let own = left("anna", Shown::Usage, &newer).unwrap();
    assert_eq!(names(&own["ContainerUsage"]["Items"], "/Id"), ["1"]);
    assert_eq!(
        (&own["ContainerUsage"]["TotalCount"], own["ContainerUsage"].get("TotalSize")),
        (&json!(1), None)
    );
}

#[test]
fn events_are_told_to_whom_they_are_about() {
    let of = |name: &str, event: &Value| {
        let (sight, line) = (sight(name, Shown::Events), event.to_string());
        sight.told(line.as_bytes()).map(|line| String::from_utf8(line).unwrap())
    };
    let event = |kind: &str, action: &str, attributes: Value| json!({ "Type": kind, "Action": action, "Actor": { "ID": "x", "Attributes": attributes } });
    let exec = event("container", "exec_create: psql -W hunter2", labels("anna", "anna"));
    assert!(of("anna", &exec).unwrap().contains("hunter2"));
    assert_eq!(of("shop-1", &exec), None);
    let redacted = of("auditor", &exec).unwrap();
    assert!(redacted.contains("exec_create: <redacted>") && redacted.ends_with('\n'), "{redacted}");
    for (kind, attributes) in [
        ("volume", json!({ "driver": "local" })),
        ("network", json!({ "name": "bridge", "container": "x" })),
        ("daemon", json!({ "name": "host" })),
        ("unheard-of", json!({})),
        ("container", json!({ "image": "busybox" })),
    ] {
        let event = event(kind, "create", attributes);
        assert_eq!(of("anna", &event), None, "{event}");
        assert!(of("auditor", &event).is_some(), "{event}");
    }
    let deleted = event("image", "delete", json!({ "name": "sha256:1" }));
    assert_eq!(of("anna", &deleted), None, "it says no more whose it was");
    assert!(of("auditor", &deleted).is_some());
    let pulled = event("image", "pull", json!({ "name": "busybox:latest" }));
    assert!(of("anna", &pulled).is_some());
    assert_eq!(sight("anna", Shown::Events).told(b"no json"), None);
}

#[test]
fn an_error_names_no_id_that_was_not_named() {
    let id = "0123456789abcdef".repeat(4);
    let body = json!({ "message": format!("The name \"/web\" is in use by container {id}; see deadbeef and {id}.") });
    let told = String::from_utf8(error_without_ids(body.to_string().as_bytes(), "/x")).unwrap();
    assert!(
        !told.contains(&id) && told.contains("(another)") && told.contains("deadbeef"),
        "{told}"
    );
    let named =
        String::from_utf8(error_without_ids(body.to_string().as_bytes(), &format!("/x/{id}/y")))
            .unwrap();
    assert!(named.contains(&id));
    let plain = String::from_utf8(error_without_ids(format!("é {id}é").as_bytes(), "")).unwrap();
    assert_eq!(plain, "é (another)é");
}

#[test]
fn images_and_networks_do_not_tell_of_containers() {
    let images = json!([{ "Id": "i", "RepoTags": ["busybox:latest"], "Containers": 7,
        "Manifests": [{ "ImageData": { "Containers": ["c1", "c2"] } }] }]);
    let own = left("anna", Shown::List(Resource::Image), &images).unwrap();
    assert_eq!(
        (&own[0]["Containers"], &own[0]["Manifests"][0]["ImageData"]["Containers"]),
        (&json!(-1), &json!([]))
    );
    assert_eq!(left("chief", Shown::List(Resource::Image), &images), Some(images));
    let networks =
        json!([{ "Name": "bridge", "Id": "n", "Labels": {}, "Containers": { "c-bert": {} } }]);
    let own = left("anna", Shown::List(Resource::Network), &networks).unwrap();
    assert_eq!(own[0]["Containers"], json!({}));
    assert_eq!(left("chief", Shown::List(Resource::Network), &networks), Some(networks));
}
