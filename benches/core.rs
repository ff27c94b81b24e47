//! The pure core: strict reading, classification, the judgement of a create body of 3 KB.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    reason = "criterion's macros make a public function; a bench stops at what it cannot do"
)]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use dockward::facade::docker::image::ImageOrigin;
use dockward::facade::docker::{Accepted, ApiVersion, LeftOut, RequestHead, body, classify, json};
use dockward::facade::identity::{Identity, supposed};
use dockward::facade::policy::facts::Image;
use dockward::facade::policy::{Decision, Facts, Needs, Policy, Seen, Settled, hear};
use http::{HeaderMap, HeaderValue, Method, Uri, Version};
use std::hint::black_box;
use std::path::Path;

const POLICY: &str = r#"
version: 1
listen: [{ tls: "127.0.0.1:0", certificate: c, key: k, client_ca: a }]
daemon: { socket: /run/docker.sock }
audit: { directory: /var/log/dockward }
identities: [{ name: ci, match: { uri: "spiffe://x/ci" }, roles: [ci] }]
roles:
  ci:
    scope: any
    admission: ci
    allow: { container: [read, run] }
    images: { run: ["registry.example.com/**"] }
admission:
  ci:
    extends: restricted
    ports: { host: [8000-9000] }
    memory: { default: 512MiB, max: 8GiB }
"#;

fn create_body() -> Vec<u8> {
    let env: Vec<String> =
        (0..40).map(|i| format!("APP_SETTING_{i}=value-{i}-abcdefghijklmnop")).collect();
    let labels: serde_json::Map<String, serde_json::Value> =
        (0..20).map(|i| (format!("com.example.label{i}"), format!("v{i}").into())).collect();
    let body = serde_json::json!({
        "Hostname": "", "User": "1000:1000", "AttachStdin": false, "AttachStdout": true,
        "AttachStderr": true, "Tty": false, "OpenStdin": false, "Env": env,
        "Cmd": ["/app/server", "--port", "8080"],
        "Image": "registry.example.com/team/app:1.2.3", "Labels": labels,
        "ExposedPorts": {"8080/tcp": {}},
        "HostConfig": {
            "Binds": ["data:/data:ro", "conf:/conf:ro"], "NetworkMode": "bridge",
            "Privileged": false,
            "PortBindings": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]},
            "RestartPolicy": {"Name": "unless-stopped", "MaximumRetryCount": 0},
            "CapAdd": null, "CapDrop": ["ALL"], "PidMode": "", "IpcMode": "private",
            "SecurityOpt": ["no-new-privileges"], "ReadonlyRootfs": true,
            "Memory": 268_435_456, "NanoCpus": 500_000_000, "Devices": [], "Ulimits": null,
            "UsernsMode": "",
            "Mounts": [{"Type": "volume", "Source": "data", "Target": "/var/lib/data"},
                       {"Type": "tmpfs", "Target": "/tmp"}]
        },
        "NetworkingConfig": {"EndpointsConfig": {"bridge": {"Aliases": ["app"]}}}
    });
    serde_json::to_vec(&body).unwrap()
}

struct Fixture {
    policy: Policy,
    identity: Identity,
    headers: HeaderMap,
    create: Uri,
    list: Uri,
    body: Vec<u8>,
}

impl Fixture {
    fn new() -> Self {
        let now = jiff::Timestamp::now();
        let config = dockward::facade::config::parse(POLICY, Path::new("/"), now).unwrap();
        let identity = supposed(&config.policy.identities, &"ci".parse().unwrap()).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_static("docker"));
        headers.insert("user-agent", HeaderValue::from_static("Docker-Client/28.2.2 (linux)"));
        let list = "/v1.47/containers/json?all=1&filters=%7B%22label%22%3A%5B%22a%22%5D%7D";
        Self {
            policy: config.policy,
            identity,
            headers,
            create: "/v1.47/containers/create?name=web".parse().unwrap(),
            list: list.parse().unwrap(),
            body: create_body(),
        }
    }

    fn create_headers(&self) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        headers.insert("content-length", HeaderValue::from(self.body.len()));
        headers
    }
}

fn request<'a>(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> RequestHead<'a> {
    RequestHead { method, uri, version: Version::HTTP_11, headers }
}

/// An image from where its name says, and volumes that are not there yet.
fn found(needs: &Needs) -> Facts {
    let repository = "registry.example.com/team/app".to_owned();
    let origins = vec![ImageOrigin { repository, digest: "sha256:5".to_owned() }];
    let image = Image { origins, ..Image::default() };
    let images = needs.images.iter().map(|name| (name.clone(), Seen::Found(image.clone())));
    let volumes = needs.volumes.iter().map(|name| (name.clone(), Seen::Missing));
    Facts { images: images.collect(), volumes: volumes.collect(), ..Facts::default() }
}

fn core(c: &mut Criterion) {
    let fixture = Fixture::new();
    let accepted = Accepted { floor: ApiVersion::FLOOR, ceiling: ApiVersion::NEWEST };
    let headers = fixture.create_headers();
    let get = request(&Method::GET, &fixture.list, &fixture.headers);
    let post = request(&Method::POST, &fixture.create, &headers);
    c.bench_function("classify GET list", |b| {
        b.iter(|| classify(black_box(&get), accepted).unwrap());
    });

    let mut group = c.benchmark_group("create 3 KB");
    group.throughput(Throughput::Bytes(fixture.body.len() as u64));
    group.bench_function("loose serde_json::Value", |b| {
        b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&fixture.body)).unwrap());
    });
    group.bench_function("strict read", |b| {
        b.iter(|| json::read(black_box(&fixture.body)).unwrap());
    });
    let head = classify(&post, accepted).unwrap();
    group.bench_function("typed read", |b| {
        b.iter(|| body::read(&head, black_box(&fixture.body), &mut LeftOut::default()).unwrap());
    });
    let settled = || -> Settled<'_> {
        let heard = hear(&fixture.identity, &head, &fixture.policy).unwrap();
        heard.read(&fixture.body).unwrap().settle(found).unwrap()
    };
    group.bench_function("decide and write", |b| {
        let decide = |settled: Settled<'_>| match settled.decide() {
            Decision::Allow(permit) => permit,
            Decision::Deny(denial) => panic!("{denial:?}"),
        };
        b.iter_batched(settled, |settled| decide(black_box(settled)), BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group!(benches, core);
criterion_main!(benches);
