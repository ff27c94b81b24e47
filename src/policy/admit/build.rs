//! A classic build: every parameter is in the query. What a Dockerfile does inside the build's own
//! containers is code that runs there, as root, and `check` says so of the grant.

use super::Judge;
use crate::docker::CallHead;
use crate::docker::query;
use crate::policy::Reason;
use std::borrow::Cow;

/// `POST /build`, version 1.
pub(super) fn build(judge: &mut Judge<'_>, head: &CallHead) {
    let text = |key| head.query.text(key).unwrap_or_default();
    let int = |key| head.query.int(key).unwrap_or_default();
    judge.base = "query ";
    judge.dockerfile(text("dockerfile"));
    for name in head.query.all("t") {
        judge.write_name("query t", name, "");
    }
    let hosts: Vec<Cow<'_, str>> = head.query.all("extrahosts").map(Cow::Borrowed).collect();
    judge.extra_hosts("query extrahosts", &hosts);
    for image in query::texts(text("cachefrom")) {
        judge.cache_from("query cachefrom", &image);
    }
    let mode = text("networkmode");
    judge
        .network("query networkmode", if matches!(mode, "" | "default") { "bridge" } else { mode });
    judge.memory(int("memory"), int("memswap")); // left out, it is written in, as for a container
    judge.build_cpus(int("cpuquota"), int("cpuperiod"), int("cpushares"));
    judge.shm(int("shmsize"));
    judge.ulimits(&query::ulimits(text("ulimits")));
    for (key, value) in query::text_map(text("labels")).iter() {
        judge.label("query labels", key, value);
    }
}

impl Judge<'_> {
    fn dockerfile(&mut self, path: &str) {
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            self.refuse(Reason::Dockerfile, "query dockerfile", path, "build with the Dockerfile");
        }
    }

    /// A build has no `NanoCpus`: where CPU is bounded and no quota is given, the default is written in.
    fn build_cpus(&mut self, quota: i64, period: i64, shares: i64) {
        let filled = quota == 0 && self.profile.cpus().default.is_some();
        if !filled {
            self.cpus(0, quota, period);
        }
        self.scheduling(shares, (0, 0));
    }
}
