"""docker-py's whole surface, one line per call, so that two runs can be compared.

    surface.py            drives every public method of the low-level client, then the high-level
                          collections; DOCKER_HOST says where

A line is what was called and all that came back, or the exception with the daemon's words; what two
daemons cannot have in common is masked. At the end every public method must have been called, or be
in NOT_DRIVEN with the reason. The clients' own words about the network (a registry at a port where
nobody listens) are compared like any other answer.
"""

import gzip
import io
import json
import os
import re
import socket
import sys
import tarfile
import tempfile
import time

import docker
import requests
from docker import types

# A registry that refuses at once, whatever the machine's network is.
NOWHERE = "localhost:1/none"
# The longest that anything is waited for, in seconds.
PATIENCE = 180

NOT_DRIVEN = {
    "get_adapter": "chooses a transport and sends nothing; every other call goes through it",
}

# Numbers that no two daemons share: times, sizes of what holds times, counters of a raft log, processes.
NUMBERS = {
    "Created", "Index", "LayersSize", "NEventsListener", "NFd", "NGoroutines", "PID", "Pid", "Size",
    "SizeRootFs", "SizeRw", "SpaceReclaimed", "VirtualSize", "mtime", "size", "time", "timeNano",
}
# Texts that are drawn.
TEXTS = {
    "CertIssuerPublicKey", "CertIssuerSubject", "JWTToken", "Manager", "TrustRoot", "UnlockKey", "Worker",
}
MASKS = [
    (r"[^\" =:]*(direct|gated)-daemon", "DAEMON"),
    (r"\b(?!02:42:)[0-9a-f][26ae](:[0-9a-f]{2}){5}\b", "MAC"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "DAEMON-ID"),
    (r"\bfd[0-9a-f]{2}:[0-9a-f]{1,4}:[0-9a-f]{1,4}::", "ULA::"),
    (r"SWMTKN-1-[0-9a-z-]+", "TOKEN"),
    (r"SWMKEY-1-[0-9A-Za-z+/=]+", "KEY"),
    (r"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])", "ID64"),
    (r"(?<![0-9a-f])[0-9a-f]{12}(?![0-9a-f])", "ID12"),
    (r"\b[A-Z0-9]{4}(:[A-Z0-9]{4}){11}\b", "DAEMON-ID"),
    (r"\b(?=[a-z]*[0-9])[a-z0-9]{25}\b", "ID25"),
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( ?Z| ?[+-][0-9:]+( UTC)?)?", "TIME"),
    (r"\b\d\d:\d\d(:\d\d)?\b", "CLOCK"),
    (r"(?i)\b(about a|less than a|\d+) (second|minute)s?( ago)?\b", "AGO"),
    (r"docker[./]sock", "SOCKET"),
]


def text(value):
    for pattern, stand_in in MASKS:
        value = re.sub(pattern, stand_in, value)
    return value


def plain(value):
    """Any answer as JSON with what two daemons cannot share masked."""
    if isinstance(value, dict):
        items = {}
        for key, item in value.items():
            if key in NUMBERS and isinstance(item, (int, float)):
                item = "N"
            elif key in TEXTS and isinstance(item, str):
                item = "DRAWN"
            elif key.endswith("Deleted") and isinstance(item, list):
                item = sorted(item, key=lambda each: text(str(each)))
            items.setdefault(text(key), []).append(plain(item))
        return {key: item[0] if len(item) == 1 else sorted(item, key=json.dumps)
                for key, item in sorted(items.items())}
    if isinstance(value, (list, tuple)):
        items = [plain(item) for item in value]
        # Lists of objects come out of Go's maps in any order.
        return sorted(items, key=json.dumps) if all(isinstance(item, dict) for item in items) else items
    if isinstance(value, bytes):
        return text(value.decode("latin-1"))
    if isinstance(value, str):
        return text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return type(value).__name__


SAID = {}


def say(name, value):
    SAID[name] = SAID.get(name, 0) + 1
    print(f"{name} {SAID[name]}: {json.dumps(plain(value), sort_keys=True)}", flush=True)


def told(name, call, show=None):
    """Calls and tells; what came back, or None where it failed."""
    try:
        value = call()
        shown = show(value) if show else value
    except (docker.errors.DockerException, requests.exceptions.RequestException) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        say(name, [type(error).__name__, status, getattr(error, "explanation", None) or str(error)])
        return None
    say(name, shown)
    return value


class Surface:
    """The client, with each call told. `show_` makes of an answer what is comparable."""

    def __init__(self, api):
        self.api = api
        self.called = set()

    def __getattr__(self, name):
        method = getattr(self.api, name)

        def call(*args, show_=None, **kwargs):
            self.called.add(name)
            return told(name, lambda: method(*args, **kwargs), show_)
        return call

    def complete(self):
        session = set(dir(requests.Session))
        public = {name for name in dir(type(self.api)) if not name.startswith("_")
                  and callable(getattr(type(self.api), name))
                  and (name not in session or name in ("close", "get_adapter"))}
        never = public - self.called - NOT_DRIVEN.keys()
        assert not never, f"neither called nor listed: {sorted(never)}"
        stale = (NOT_DRIVEN.keys() & self.called) | (NOT_DRIVEN.keys() - public)
        assert not stale, f"listed, but called or gone: {sorted(stale)}"
        print(f"complete: {len(public)} methods, {len(NOT_DRIVEN)} not driven")


def undone(call):
    """Takes back what one call made, so that the next ones do not depend on it."""
    try:
        call()
    except docker.errors.APIError:
        pass


def until(what, found):
    """Waits for a condition that no call waits for by itself."""
    end = time.monotonic() + PATIENCE
    while not found():
        if time.monotonic() > end:
            raise SystemExit(f"waited in vain: {what}")
        time.sleep(0.05)


def tar(**files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def names(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return sorted(archive.getnames())


def joined(stream):
    return b"".join(stream)


def size(stream):
    return len(joined(stream)) > 0


def keys(value):
    """The shape of an answer that is all numbers of the moment."""
    if isinstance(value, dict):
        return {key: keys(item) for key, item in value.items()}
    return type(value).__name__ if not isinstance(value, list) else "list"


def stdin(connection):
    # Over TLS it is the socket itself, otherwise a file around it.
    return getattr(connection, "_sock", connection)


def read_until(connection, wanted):
    """All of a raw connection up to and with that."""
    raw = stdin(connection)
    raw.settimeout(PATIENCE)
    seen = b""
    while wanted not in seen:
        data = raw.recv(65536)
        if not data:
            break
        seen += data
    connection.close()
    return wanted in seen


def system(api):
    api.ping()
    api.version()
    api.version(api_version=False)
    api.info(show_=lambda info: {key: value for key, value in info.items()
                                 if key not in ("SystemTime", "Name")})
    api.df()
    api.reload_config()
    api.login("user", password="secret", registry="localhost:1", reauth=True)
    api.search(NOWHERE)
    api.search(NOWHERE, limit=3)


def images(api, directory):
    api.images()
    api.images(name="busybox", all=True, filters={"dangling": False})
    api.images(quiet=True)
    api.inspect_image("busybox")
    api.history("busybox", show_=lambda steps: [step["Tags"] for step in steps])
    api.tag("busybox", "py-tagged", tag="1")
    api.tag("busybox", "py-tagged", tag="1", force=True)
    context = os.path.join(directory, "context")
    os.makedirs(context)
    for name, content in [("Dockerfile", "FROM busybox AS base\nARG A=1\nCOPY file /file\nRUN echo $A >/arg\n"
                           "FROM base\nRUN cat /file\n"),
                          ("Other", "FROM scratch\nCOPY file /\n"), ("file", "content\n"),
                          (".dockerignore", "ignored\n"), ("ignored", "never sent\n")]:
        with open(os.path.join(context, name), "w") as file:
            file.write(content)
    built = dict(show_=lambda steps: [re.sub(r"^( ---> )[0-9a-f]+", r"\1", step.get("stream", "")) or step
                                      for step in steps], decode=True)
    api.build(path=context, tag="py-built:1", nocache=True, rm=True, forcerm=True, pull=False, timeout=120,
              container_limits={"memory": 64 << 20, "memswap": 128 << 20, "cpushares": 512, "cpusetcpus": "0"},
              buildargs={"A": "b", "EMPTY": None}, shmsize=1 << 20, labels={"l": "m"},
              cache_from=["busybox", "py-built:1"], target="base", network_mode="none",
              extra_hosts={"name": "10.0.0.1"}, **built)
    api.build(path=context, tag="py-built:2", quiet=True, dockerfile="Other", platform="linux/amd64",
              isolation="default", **built)
    api.build(path=context, tag="py-built:3", squash=True, network_mode="host", rm=True, **built)
    api.build(fileobj=io.BytesIO(b"FROM busybox\nENV A=b\n"), tag="py-built:4", rm=True, **built)
    api.build(fileobj=io.BytesIO(tar(Dockerfile=f"FROM {NOWHERE}:1\n".encode())), custom_context=True, **built)
    api.build(path=context, dockerfile="Other", gzip=True, tag="py-zipped:1", **built)
    undone(lambda: api.api.remove_image("py-zipped:1"))
    zipped = gzip.compress(tar(Dockerfile=b"FROM scratch\nCOPY Dockerfile /\n"), mtime=0)
    api.build(fileobj=io.BytesIO(zipped), custom_context=True, encoding="gzip", tag="py-zipped:2", **built)
    undone(lambda: api.api.remove_image("py-zipped:2"))
    saved = joined(api.api.get_image("py-built:2"))
    api.get_image("busybox", show_=size)
    api.load_image(saved, show_=list)
    api.load_image(saved, quiet=True, show_=list)
    api.load_image(b"no archive", show_=list)
    tree = tar(file=b"content")
    path = os.path.join(directory, "tree.tar")
    with open(path, "wb") as file:
        file.write(tree)
    api.import_image(src=path, repository="py-imported", tag="1", changes=["CMD sh"])
    api.import_image_from_data(tree, repository="py-imported", tag="2", changes=["ENV A=b", "CMD sh"])
    api.import_image_from_file(path, repository="py-imported", tag="3", changes="CMD sh")
    api.import_image_from_stream(iter([tree]), repository="py-imported", tag="4")
    with open(path, "rb") as stream:
        # docker-py says that a file is chunked, gives its length too, and sends it as it is.
        api.import_image_from_stream(stream, repository="py-imported", tag="4")
    api.import_image_from_url("http://localhost:1/tree.tar", repository="py-imported", tag="5")
    api.import_image_from_image(NOWHERE, repository="py-imported", tag="6")
    api.pull(NOWHERE)
    api.pull(NOWHERE, tag="1", stream=True, decode=True, platform="linux/amd64", show_=list,
             auth_config={"username": "u", "password": "p"})
    api.pull(NOWHERE, all_tags=True)
    api.tag("busybox", NOWHERE, tag="1")
    api.push(NOWHERE, tag="1", auth_config={"username": "u", "password": "p"})
    api.push(NOWHERE, stream=True, decode=True, show_=list)
    api.inspect_distribution(NOWHERE)
    api.inspect_distribution(NOWHERE + ":1", auth_config={"username": "u", "password": "p"})
    api.inspect_image("nothing")
    api.remove_image("nothing")
    for name in ["py-tagged:1", "py-imported:1", NOWHERE + ":1"]:
        api.remove_image(name)
    api.remove_image("py-built:4", force=True, noprune=True)
    api.prune_images()
    api.prune_images(filters={"dangling": False, "label": ["none=such"], "until": "1h"})
    api.prune_builds()
    api.prune_builds(filters={"until": "1h"}, keep_storage=1 << 30, all=True)


def networks(api):
    pool = types.IPAMPool(subnet="10.99.0.0/24", iprange="10.99.0.0/25", gateway="10.99.0.254",
                          aux_addresses={"router": "10.99.0.253"})
    api.create_network("py-net", driver="bridge", options={"com.docker.network.bridge.name": "py0"},
                       ipam=types.IPAMConfig(driver="default", pool_configs=[pool], options={"k": "v"}),
                       check_duplicate=True, internal=True, labels={"l": "m"}, attachable=True, scope="local",
                       ingress=False)
    api.create_network("py-plain")
    api.create_network("py-plain", check_duplicate=True)
    api.create_network("py-six", enable_ipv6=True)
    api.networks()
    api.networks(names=["py-net"], filters={"driver": "bridge", "label": "l=m"})
    api.networks(ids=["0123"])
    api.inspect_network("py-net")
    api.inspect_network("py-net", verbose=True, scope="local")
    api.inspect_network("nothing")


def volumes(api):
    api.create_volume()
    api.create_volume("py-vol", driver="local", labels={"l": "m"})
    api.create_volume("py-tmp", driver="local", driver_opts={"type": "tmpfs", "device": "tmpfs", "o": "size=1m"})
    api.volumes()
    api.volumes(filters={"dangling": True, "label": "l=m"})
    api.inspect_volume("py-vol")
    api.inspect_volume("nothing")


def configured(api):
    return api.create_host_config(
        show_=lambda made: sorted(made), binds={"py-vol": {"bind": "/data", "mode": "rw"}, "/usr/share": {"bind": "/host", "mode": "ro"}},
        port_bindings={80: None, "443/tcp": ("127.0.0.1", 8444), "53/udp": [8053, ("127.0.0.1", 8054)]},
        publish_all_ports=False, privileged=False, dns=["127.0.0.1"], dns_search=["example.org"], dns_opt=["ndots:1"],
        network_mode="py-net", restart_policy={"Name": "on-failure", "MaximumRetryCount": 2}, cap_add=["NET_ADMIN"],
        cap_drop=["MKNOD"], devices=["/dev/null:/dev/zero2:rwm"], extra_hosts={"name": "10.0.0.1"}, read_only=False,
        ipc_mode="private", security_opt=["no-new-privileges"], ulimits=[types.Ulimit(name="nofile", soft=1024, hard=2048)],
        log_config=types.LogConfig(type="json-file", config={"max-size": "1m"}), mem_limit="64m", memswap_limit="128m",
        mem_reservation="32m", mem_swappiness=None, cgroup_parent=None, group_add=["1000", 1001], cpu_quota=50000,
        cpu_period=100000, cpu_shares=512, cpuset_cpus="0", oom_kill_disable=False, shm_size="1m",
        sysctls={"net.ipv4.ip_forward": "0"}, tmpfs={"/t": "size=1m,mode=1770"}, oom_score_adj=100,
        pids_limit=50, isolation="default", init=True, mounts=[
            types.Mount("/m1", "py-more", type="volume", labels={"a": "b"}, no_copy=True),
            types.Mount("/m2", "/usr/share", type="bind", read_only=True, propagation="rprivate"),
            types.Mount("/m3", None, type="tmpfs", tmpfs_size=1 << 20, tmpfs_mode=0o1770)],
        uts_mode=None, pid_mode=None, userns_mode=None, volume_driver=None, device_cgroup_rules=["c 1:3 mr"],
        cgroupns=None, blkio_weight_device=None, device_read_bps=None, nano_cpus=None,
        device_requests=None)


def containers(api):
    endpoint = api.create_endpoint_config(aliases=["api"], links={"py-none": "other"}, ipv4_address="10.99.0.9",
                                          link_local_ips=["169.254.8.8"], driver_opt={"k": "v"})
    endpoint = api.create_endpoint_config(aliases=["api"], ipv4_address="10.99.0.9")
    networking = api.create_networking_config({"py-net": endpoint})
    host = configured(api)
    api.create_container(
        "busybox", ["sh", "-c", "echo started; echo wrong >&2; exec sleep 600"], hostname="web", user="0",
        stdin_open=True, tty=False, ports=[80, (53, "udp"), 443], environment={"A": "b", "EMPTY": None}, volumes=["/anon"],
        name="py-web", working_dir="/tmp", domainname="example.org", labels={"l": "m"}, stop_signal="SIGKILL",
        networking_config=networking, host_config=host, stop_timeout=1, platform="linux/amd64",
        healthcheck=types.Healthcheck(test=["CMD", "true"], interval=3600 * 10**9, timeout=60 * 10**9, retries=3,
                                      start_period=10**9))
    config = api.create_container_config("busybox", ["cat"], tty=True, stdin_open=True, network_disabled=True,
                                         entrypoint="env", labels=["bare"], detach=False)
    api.create_container_from_config(config, name="py-tty", platform=None)
    api.create_container("busybox", "cat", name="py-link", mac_address="02:42:0a:00:00:09",
                         host_config=api.api.create_host_config(auto_remove=False, links={"py-none": "x"}))
    api.create_container("busybox", "cat", name="py-from", detach=True,
                         host_config=api.api.create_host_config(volumes_from=["py-none:ro"], network_mode="none"))
    api.create_container("busybox", "cat", name="py-cat", stdin_open=True)
    api.create_container("busybox", "cat", name="py-runtime", runtime="runc")
    undone(lambda: api.api.remove_container("py-runtime"))
    api.create_container("nothing:1")
    for name in ("py-web", "py-tty", "py-cat", "nothing"):
        api.start(name)
    api.containers()
    api.containers(trunc=True)
    api.containers(quiet=True, all=True, limit=5, size=True, filters={"label": ["l=m"], "status": "running"})
    api.containers(latest=True)
    api.containers(since="py-web", before="py-cat", all=True)
    api.inspect_container("py-web")
    api.inspect_container("nothing")
    api.port("py-web", 80)
    api.port("py-web", 53)
    api.top("py-web", show_=lambda top: [top["Titles"], [row[-1] for row in top["Processes"]]])
    api.top("py-web", ps_args="-o pid,args", show_=lambda top: top["Titles"])
    until("both lines are logged", lambda: len(api.api.logs("py-web").splitlines()) == 2)
    api.logs("py-web", show_=lambda said: sorted(said.splitlines()))
    api.logs("py-web", stderr=False, timestamps=True, tail=2, since=1, until=2**31)
    api.logs("py-web", stdout=False, stream=True, follow=True, tail=5, show_=lambda lines: next(lines))
    api.stats("py-web", stream=False, show_=keys)
    api.stats("py-web", stream=False, one_shot=True, show_=keys)
    api.stats("py-web", decode=True, show_=lambda each: sorted(next(each)))
    api.diff("py-web")
    api.diff("py-tty")
    api.resize("py-tty", 24, 80)
    api.resize("py-web", 24, 80)
    processes(api)
    streams(api)
    files(api)
    states(api)


def processes(api):
    def made(*args, **kwargs):
        return api.exec_create(*args, **kwargs)["Id"]

    one = made("py-web", ["sh", "-c", "echo out; exit 3"], environment={"X": "y"}, user="0", workdir="/tmp")
    api.exec_start(one)
    api.exec_inspect(one)
    api.exec_start(one, show_=lambda _: "refused within the stream")
    api.exec_start(made("py-web", "sh -c 'echo out; echo err >&2'", environment=["X=y"]), demux=True)
    api.exec_start(made("py-web", ["sh", "-c", "echo a; echo b"], stderr=False), stream=True, show_=joined)
    api.exec_start(made("py-web", ["true"], stdout=False, stderr=False), detach=True)
    api.exec_start(made("py-web", ["tty"], tty=True, privileged=True), tty=True)
    held = made("py-web", ["sh", "-c", "read line; echo got $line"], stdin=True, tty=True, detach_keys="ctrl-a,a")
    connection = api.exec_start(held, tty=True, socket=True, show_=lambda _: "a connection")
    until("it runs", lambda: api.api.exec_inspect(held)["Running"])
    api.exec_resize(held, height=24, width=80)
    stdin(connection).sendall(b"words\n")
    say("exec stdin", read_until(connection, b"got words"))
    api.exec_create("nothing", "true")
    api.exec_create("py-web", ["true"], workdir="/nothing")
    api.exec_inspect("nothing")
    api.exec_inspect(64 * "0")
    api.exec_start(64 * "0")
    api.exec_resize(64 * "0", 1, 1)


def streams(api):
    # docker-py loses what comes in the same packet as the head of a 101, and over TLS shows a frame only
    # when the next comes or the stream ends: a stream is read when it ended, for what was sent later.
    api.attach("py-web", stream=True, logs=True, show_=lambda _: "a stream")
    for params in ({"stdin": 1, "stdout": 1, "stream": 1}, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1, "detachKeys": "ctrl-a,a"}):
        connection = api.attach_socket("py-cat", params=params, show_=lambda _: "a connection")
        stdin(connection).sendall(b"through\n")
        say("attach stdin", read_until(connection, b"through\n"))
    api.attach_socket("py-cat", ws=True, show_=lambda _: "a connection")
    api.attach_socket("nothing")
    api.attach("nothing")
    # A container that ends: all of it, without a stream.
    api.create_container("busybox", ["sh", "-c", "read line; echo out; echo err >&2"], name="py-once", stdin_open=True)
    api.start("py-once")
    lines = api.attach("py-once", stream=True, stderr=False, show_=lambda _: "a stream")
    connection = api.api.attach_socket("py-once", params={"stdin": 1, "stream": 1})
    stdin(connection).sendall(b"go\n")
    connection.close()
    api.wait("py-once", timeout=PATIENCE, condition="not-running")
    say("attached", joined(lines))
    api.attach("py-once", logs=True, show_=lambda said: set(said.splitlines()) <= {b"out", b"err"})
    api.attach("py-once", logs=True, stream=False, demux=True, show_=lambda said: set(said) <= {b"out\n", b"err\n", None})


def files(api):
    api.put_archive("py-web", "/data", tar(x=b"content"))
    api.put_archive("py-web", "/nothing", tar(x=b"content"))
    api.put_archive("py-web", "/data", b"no archive")
    for encode in (False, True):
        api.get_archive("py-web", "/data/x", encode_stream=encode,
                        show_=lambda got: [got[1]["name"], names(joined(got[0]))])
    api.get_archive("py-web", "/nothing")
    api.export("py-web", show_=lambda data: "bin/busybox" in names(joined(data)))
    api.export("nothing")


def states(api):
    api.update_container("py-web", blkio_weight=None, cpu_period=100000, cpu_quota=40000, cpu_shares=256,
                         cpuset_cpus="0", cpuset_mems="0", mem_limit="96m", mem_reservation="32m", memswap_limit="128m",
                         restart_policy={"Name": "unless-stopped"})
    api.update_container("py-web", kernel_memory="64m")
    api.pause("py-web")
    api.pause("py-web")
    api.unpause("py-web")
    api.rename("py-web", "py-web-2")
    api.rename("py-web-2", "py-web")
    api.commit("py-web", repository="py-committed", tag="1", message="note", author="me", pause=False,
               changes=["CMD echo", "ENV C=d"], conf={"Env": ["E=f"], "Labels": {"l": "m"}})
    api.commit("py-web")
    api.restart("py-web", timeout=0)
    api.stop("py-web", timeout=0)
    api.start("py-web")
    api.kill("py-web")
    api.kill("py-tty", signal="SIGKILL")
    api.kill("nothing")
    api.wait("py-tty")
    api.wait("py-web", timeout=PATIENCE)
    api.connect_container_to_network("py-web", "py-plain", aliases=["other"], links=[("py-cat", "cat")],
                                     driver_opt={"k": "v"})
    api.connect_container_to_network("py-tty", "py-net", ipv4_address="10.99.0.10", ipv6_address=None,
                                     link_local_ips=["169.254.9.9"], mac_address="02:42:0a:00:00:0a")
    api.connect_container_to_network("py-web", "nothing")
    api.disconnect_container_from_network("py-web", "py-plain")
    api.disconnect_container_from_network("py-web", "py-net", force=True)
    api.inspect_network("py-net")
    api.remove_container("py-cat", force=True)
    api.remove_container("py-web", v=True, force=True)
    api.remove_container("py-once", link=True)
    api.remove_container("nothing")
    api.prune_containers(filters={"until": "1h", "label": "none"})
    api.prune_containers()
    api.remove_network("py-net")
    api.remove_network("nothing")
    api.prune_networks(filters={"label": ["none"]})
    api.prune_networks()
    api.remove_volume("py-tmp", force=True)
    api.remove_volume("nothing")
    api.prune_volumes(filters={"label": ["none"]})
    api.prune_volumes()


def plugins(api, directory):
    source = os.path.join(directory, "plugin")
    os.makedirs(os.path.join(source, "rootfs", "usr"))
    for link in ("bin", "lib", "lib64"):
        os.symlink("usr/" + link, os.path.join(source, "rootfs", link))
    # A plugin is on when it listens at its socket: this one is Python, from the host.
    listen = ("import signal, socket as s; signal.signal(15, signal.getsignal(2)); l = s.socket(1)\n"
              "l.bind('/run/docker/plugins/py.sock'); l.listen()\nwhile 1: l.accept()[0].close()")
    with open(os.path.join(source, "config.json"), "w") as file:
        json.dump({
            "description": "a plugin", "documentation": "", "entrypoint": ["/usr/bin/python3", "-c", listen],
            "workDir": "/", "interface": {"types": ["docker.dummy/1.0"], "socket": "py.sock"},
            "env": [{"name": "DEBUG", "description": "", "value": "0", "settable": ["value"]}],
            "network": {"type": "none"}, "linux": {"capabilities": None},
            "mounts": [{"source": "/usr", "destination": "/usr", "type": "bind", "options": ["rbind", "ro"]}],
        }, file)
    api.plugins()
    api.create_plugin("py-plugin", source)
    api.create_plugin("py-zipped", source, gzip=True)
    api.create_plugin("py-plugin", source)
    api.plugins()
    api.inspect_plugin("py-plugin")
    api.inspect_plugin("nothing")
    api.configure_plugin("py-plugin", {"DEBUG": "1"})
    api.configure_plugin("py-plugin", ["DEBUG=2"])
    api.configure_plugin("py-plugin", {"NOTHING": "1"})
    api.enable_plugin("py-plugin", timeout=10)
    api.enable_plugin("nothing")
    api.disable_plugin("py-plugin")
    api.disable_plugin("nothing", force=True)
    api.plugin_privileges(NOWHERE)
    allowed = [{"Name": "network", "Description": "", "Value": ["host"]}]
    api.pull_plugin(NOWHERE, allowed, name="py-pulled", show_=list)
    api.upgrade_plugin("py-plugin", NOWHERE, allowed, show_=list)
    api.push_plugin("py-plugin")
    api.push_plugin("nothing")
    api.remove_plugin("py-zipped")
    api.remove_plugin("py-plugin", force=True)
    api.remove_plugin("nothing")


def one_task(api, service, state="running"):
    def found():
        tasks = api.api.tasks(filters={"service": service, "desired-state": "running"})
        return [task for task in tasks if task["Status"]["State"] == state]
    until(f"a task of {service} is {state}", found)
    return found()[0]


def swarm(api):
    api.inspect_swarm()
    api.nodes()
    api.join_swarm(["127.0.0.1:1"], "nothing", listen_addr="127.0.0.1:2377", advertise_addr="127.0.0.1",
                   data_path_addr="127.0.0.1")
    spec = api.create_swarm_spec(task_history_retention_limit=5, snapshot_interval=5000, keep_old_snapshots=1,
                                 log_entries_for_slow_followers=100, heartbeat_tick=1, election_tick=10,
                                 dispatcher_heartbeat_period=10**10, node_cert_expiry=10**16, external_cas=None,
                                 name="default", labels={"l": "m"}, autolock_managers=False)
    api.init_swarm(advertise_addr="127.0.0.1", listen_addr="127.0.0.1:2377", force_new_cluster=False, swarm_spec=spec,
                   default_addr_pool=["10.88.0.0/16"], subnet_size=24, data_path_addr="127.0.0.1", data_path_port=4790)
    api.init_swarm(advertise_addr="127.0.0.1")
    api.join_swarm(["127.0.0.1:2377"], "nothing")
    api.inspect_swarm()
    version = api.api.inspect_swarm()["Version"]["Index"]
    api.update_swarm(version, swarm_spec=spec, rotate_worker_token=True, rotate_manager_token=True)
    api.update_swarm(1)
    version = api.api.inspect_swarm()["Version"]["Index"]
    api.update_swarm(version, swarm_spec=api.api.create_swarm_spec(autolock_managers=True), rotate_manager_unlock_key=True)
    api.get_unlock_key()
    api.unlock_swarm("SWMKEY-1-nothing")
    api.unlock_swarm({"UnlockKey": "SWMKEY-1-nothing"})
    node = settled(api.api)
    api.nodes()
    api.nodes(filters={"role": "manager"})
    api.nodes(filters={"role": "worker", "name": ["nothing"]})
    api.inspect_node(node["ID"])
    spec = {"Availability": "active", "Role": "manager", "Labels": {"l": "m"}}
    api.called.add("update_node")
    told("update_node", lambda: latest(lambda version: api.api.update_node(node["ID"], version, spec),
                                       lambda: api.api.inspect_node(node["ID"])["Version"]["Index"]))
    api.update_node(node["ID"], 1, {"Availability": "drain", "Role": "manager"})
    api.remove_node(node["ID"])
    api.remove_node("nothing", force=True)
    stored(api)
    services(api)
    api.leave_swarm()
    api.leave_swarm(force=True)
    api.get_unlock_key()
    api.tasks()


def settled(api):
    """The one node, once the manager has written down that it is up and leads."""
    def node():
        return api.nodes()[0]
    until("the node is up", lambda: node()["Status"]["State"] == "ready" and node().get("ManagerStatus", {}).get("Leader"))
    return node()


def latest(update, version):
    """Updates what the manager itself may just have written: again with the newest version."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return update(version())
        except docker.errors.APIError as error:
            if "out of sequence" not in str(error) or time.monotonic() > end:
                raise


def stored(api):
    secret = api.create_secret("py-secret", b"secret", labels={"l": "m"})
    api.create_secret("py-secret", "again")
    api.secrets()
    api.secrets(filters={"name": ["py-secret"]})
    api.inspect_secret(secret["ID"])
    api.inspect_secret("nothing")
    config = api.create_config("py-config", b"{{ .Service.Name }}", labels={"l": "m"}, templating={"name": "golang"})
    api.create_config("py-config", "again")
    api.configs()
    api.configs(filters={"label": "l=m"})
    api.inspect_config(config["ID"])
    api.inspect_config("nothing")


def services(api):
    secret = api.api.secrets(filters={"name": ["py-secret"]})[0]["ID"]
    config = api.api.configs(filters={"name": ["py-config"]})[0]["ID"]
    container = types.ContainerSpec(
        "busybox", command=["sh", "-c"], args=["echo started; exec sleep 600"], hostname="task", env={"A": "b"}, workdir="/tmp",
        user="0", labels={"l": "m"}, mounts=["py-service:/data:rw", types.Mount("/tmp2", None, type="tmpfs")],
        stop_grace_period=10**9, secrets=[types.SecretReference(secret, "py-secret", filename="/s", uid="0", gid="0", mode=0o400)],
        tty=False, groups=["1000"], open_stdin=False, read_only=False, stop_signal="SIGKILL",
        healthcheck=types.Healthcheck(test=["CMD", "true"], interval=10**8), hosts={"name": "10.0.0.1"},
        dns_config=types.DNSConfig(nameservers=["127.0.0.1"], search=["example.org"], options=["ndots:1"]),
        configs=[types.ConfigReference(config, "py-config", filename="/c")],
        privileges=types.Privileges(selinux_disable=True), isolation="default", init=True, cap_add=["NET_ADMIN"], cap_drop=["MKNOD"],
        sysctls={"net.ipv4.ip_forward": "0"})
    template = types.TaskTemplate(
        container, resources=types.Resources(cpu_limit=5 * 10**8, mem_limit=64 << 20, cpu_reservation=10**7, mem_reservation=16 << 20,
                                             generic_resources=None),
        restart_policy=types.RestartPolicy(condition="any", delay=10**9, max_attempts=3, window=0),
        placement=types.Placement(constraints=["node.role == manager"], preferences=[("spread", "node.labels.l")],
                                  platforms=[("amd64", "linux")], maxreplicas=2),
        log_driver=types.DriverConfig("json-file", options={"max-size": "1m"}), force_update=1)
    api.create_network("py-overlay", driver="overlay", attachable=True)
    made = api.create_service(
        template, name="py-service", labels={"l": "m"}, mode=types.ServiceMode("replicated", replicas=1),
        update_config=types.UpdateConfig(parallelism=1, delay=0, failure_action="rollback", monitor=10**9,
                                         max_failure_ratio=0.5, order="start-first"),
        rollback_config=types.RollbackConfig(parallelism=1, failure_action="pause", order="stop-first"),
        endpoint_spec=types.EndpointSpec(mode="dnsrr"))
    plain = types.TaskTemplate(types.ContainerSpec("busybox", ["sleep", "600"]), networks=[types.NetworkAttachmentConfig("py-overlay", aliases=["x"])])
    api.create_service(plain, name="py-global", mode="global", endpoint_spec=types.EndpointSpec(
        mode="vip", ports={8090: 80, 8091: (81, "tcp", "host")}))
    api.create_service(types.TaskTemplate(types.ContainerSpec("busybox", ["true"])), name="py-job",
                       mode=types.ServiceMode("replicated-job", replicas=1, concurrency=1))
    api.create_service(plain, name="py-service")
    api.services(show_=lambda all: sorted(item["Spec"]["Name"] for item in all))
    api.services(filters={"name": "py-service"}, status=True)
    api.inspect_service("py-service")
    api.inspect_service("py-service", insert_defaults=True)
    api.inspect_service("nothing")
    task = one_task(api, "py-service")
    api.tasks(filters={"service": "py-service", "desired-state": ["running"], "label": "l=m"})
    api.inspect_task(task["ID"])
    api.inspect_task("nothing")
    until("it is logged", lambda: joined(api.api.service_logs("py-service", stdout=True)))
    api.service_logs("py-service", stdout=True, stderr=True, show_=joined)
    api.service_logs("py-service", stdout=True, details=True, timestamps=True, since=1, tail=1, is_tty=False, show_=joined)
    api.service_logs("py-service", stdout=True, follow=True, show_=next)
    def newest():
        return api.api.inspect_service(made["ID"])["Version"]["Index"]

    api.called.add("update_service")
    told("update_service", lambda: latest(lambda version: api.api.update_service(
        made["ID"], version, name="py-service", fetch_current_spec=True, labels={"n": "o"},
        mode=types.ServiceMode("replicated", replicas=0)), newest))
    told("update_service", lambda: latest(lambda version: api.api.update_service(
        made["ID"], version, task_template=plain, name="py-service"), newest))
    api.update_service(made["ID"], 1, name="py-service")
    for name in ("py-service", "py-global", "py-job", "nothing"):
        api.remove_service(name)
    api.remove_secret(secret)
    api.remove_secret("nothing")
    api.remove_config(config)
    api.remove_config("nothing")


def events(api, start):
    """What the daemon says has happened since. It keeps the last 256 only: to be asked of each part by itself."""
    def seen(all):
        # A health check's end comes when it comes: engines from 25 on begin them after five seconds. The daemon
        # makes the node that it is itself while it begins to watch for such.
        return sorted({f"{event['Type']} {event['Action'].split(':')[0]}" for event in all}
                      - {"container health_status", "node create"})
    now = int(time.time()) + 1
    until("the second is over", lambda: time.time() > now)
    api.events(since=start, until=now, decode=True, show_=seen)
    api.events(since=start, until=now, filters={"type": ["volume"], "event": "create"}, show_=lambda all: len(list(all)))
    api.events(since=1, until=2, show_=list)
    return now


def collections(client, directory):
    """What the high-level client sends that the low-level calls above did not."""
    def ask(name, call, show=None):
        return told("client." + name, call, show)

    ask("run", lambda: client.containers.run("busybox", "echo hi", remove=True, volumes=["/usr/share:/host:ro"], stderr=True))
    ask("run fails", lambda: client.containers.run("busybox", ["sh", "-c", "echo wrong >&2; exit 3"], remove=True))
    ask("run pulls", lambda: client.containers.run(NOWHERE + ":1"))
    web = client.containers.run("busybox", "sleep 600", name="py-high", detach=True, auto_remove=True, network_mode="none",
                                device_cgroup_rules=["c 1:3 mr"], nano_cpus=10**8, cpu_count=None, userns_mode="host",
                                pid_mode="host", uts_mode="host", stop_signal="SIGKILL", tty=True)
    ask("get", lambda: client.containers.get("py-high"), lambda found: found.name)
    ask("list", lambda: client.containers.list(all=True, sparse=True, since="py-none"))
    ask("list", lambda: client.containers.list(ignore_removed=True), lambda all: [item.name for item in all])
    ask("commit", lambda: web.commit("py-high", tag="1"), lambda image: image.tags)
    ask("exec_run", lambda: web.exec_run("tty", tty=True, stdin=True), list)
    ask("exec_run", lambda: web.exec_run("echo hi", detach=True), lambda result: result[1])
    ask("exec_run", lambda: web.exec_run("cat", stdin=True, socket=True), lambda result: [result[0], result[1].close()])
    ask("reload", web.reload)
    ask("remove", lambda: web.remove(force=True))
    ask("build", lambda: client.images.build(fileobj=io.BytesIO(b"FROM busybox\nLABEL a=b\n"), tag="py-high:2", rm=True),
        lambda built: built[0].tags)
    ask("registry", lambda: client.images.get_registry_data(NOWHERE))
    ask("images", lambda: client.images.list(name="py-high", all=True), lambda all: sorted(tag for image in all for tag in image.tags))
    ask("pull", lambda: client.images.pull(NOWHERE, tag="1"))
    ask("search", lambda: client.images.search(NOWHERE))
    ask("save", lambda: client.images.get("py-high:2").save(named="py-high:2"), size)
    ask("load", lambda: client.images.load(joined(client.images.get("py-high:2").save(named=True))),
        lambda all: [image.tags for image in all])
    ask("prune_builds", client.images.prune_builds)
    for tag in ("py-high:1", "py-high:2"):
        ask("remove", lambda: client.images.get(tag).remove(force=True))
    ask("network", lambda: client.networks.create("py-high", check_duplicate=True), lambda made: made.name)
    ask("networks", lambda: client.networks.list(greedy=True, names=["py-high"]), lambda all: [item.name for item in all])
    ask("network", lambda: client.networks.get("py-high", scope="local").remove())
    ask("plugin", lambda: client.plugins.install(NOWHERE))
    ask("volumes", lambda: client.volumes.list(filters={"name": "nothing"}))
    ask("swarm", lambda: client.swarm.init(advertise_addr="127.0.0.1", listen_addr="127.0.0.1:2377"), lambda _: "a node")
    ask("swarm", client.swarm.reload)
    ask("swarm", lambda: client.swarm.update(rotate_worker_token=True))
    settled(client.api)
    node = client.nodes.list()[0]
    labelled = {**node.attrs["Spec"], "Labels": {"l": "m"}}
    ask("node", lambda: latest(lambda _: node.update(labelled), node.reload))
    secret = client.secrets.create(name="py-high", data="secret")
    config = client.configs.create(name="py-high", data="config")
    service = client.services.create(
        "busybox", "sh", args=["-c", "echo started; exec sleep 600"], name="py-high", env=["A=b"], labels={"l": "m"},
        container_labels={"l": "m"}, mounts=["py-high:/data"], networks=None, constraints=["node.role == manager"],
        secrets=[types.SecretReference(secret.id, "py-high")], configs=[types.ConfigReference(config.id, "py-high")],
        endpoint_spec=types.EndpointSpec(mode="vip"), log_driver="json-file", log_driver_options={"max-size": "1m"},
        resources=types.Resources(mem_limit=64 << 20), stop_grace_period=0, maxreplicas=1, platforms=[("amd64", "linux")])
    one_task(Surface(client.api), "py-high")
    ask("tasks", lambda: service.tasks(filters={"desired-state": "running"}), len)
    ask("scale", lambda: service.scale(0))
    ask("force_update", lambda: latest(lambda _: service.force_update(), service.reload))
    ask("update", lambda: latest(lambda _: service.update(labels={"n": "o"}, image="busybox", args=["-c", "true"]), service.reload))
    ask("services", lambda: client.services.list(filters={"name": "py-high"}), len)
    for each in (service, secret, config):
        ask("remove", each.remove)
    ask("swarm", lambda: client.swarm.leave(force=True))
    ask("volume", lambda: client.volumes.prune(), lambda pruned: sorted(pruned))
    ask("df", client.df, sorted)
    ask("close", client.close)


def main():
    client = docker.from_env(timeout=300)
    api = Surface(client.api)
    start = int(time.time())
    with tempfile.TemporaryDirectory() as directory:
        system(api)
        images(api, directory)
        networks(api)
        volumes(api)
        start = events(api, start)
        containers(api)
        plugins(api, directory)
        start = events(api, start)
        swarm(api)
        events(api, start)
        collections(client, directory)
    api.close()
    api.complete()


main()
