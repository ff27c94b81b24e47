"""The wire form of docker-java, as tests/presets/docker-java.yaml has it from its source: what it asks is asked so, over the daemon's
socket or TLS, and each call prints a line of what came of it, the same straight and through a gate."""

import http.client
import io
import json
import os
import socket
import ssl
import sys
import tarfile
from urllib.parse import quote


class AtSocket(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost:2375", timeout=300)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(300)
        self.sock.connect(self.path)


def connection():
    where = os.environ["DOCKER_HOST"]
    if where.startswith("unix://"):
        return AtSocket(where.removeprefix("unix://"))
    bundle = os.environ["DOCKER_CERT_PATH"]
    context = ssl.create_default_context(cafile=f"{bundle}/ca.pem")
    context.check_hostname = False
    context.load_cert_chain(f"{bundle}/cert.pem", f"{bundle}/key.pem")
    host, port = where.removeprefix("tcp://").rsplit(":", 1)
    return http.client.HTTPSConnection(host, int(port), timeout=300, context=context)


failed = False


def ask(name, method, target, body=None, headers=None, wanted=(200, 201, 204), shows=lambda answer: ""):
    """Without a version, as docker-java asks unless it is told one; a body is sent as it stands."""
    global failed
    wire = connection()
    sent = {"accept": "application/json", "User-Agent": "Apache-HttpClient/5.4 (Java/17)", **(headers or {})}
    if body is not None and not isinstance(body, (str, bytes)):
        body, sent["content-type"] = json.dumps(body), "application/json"
    wire.putrequest(method, target, skip_accept_encoding=True)
    for key, value in sent.items():
        wire.putheader(key, value)
    data = body.encode() if isinstance(body, str) else body
    if data is not None or method == "POST":
        wire.putheader("Content-Length", str(len(data or b"")))
    wire.endheaders(data)
    answer = wire.getresponse()
    text = answer.read()
    wire.close()
    failed |= answer.status not in wanted
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    print(f"{name}: {answer.status} {shows(value)!r}" + ("" if answer.status in wanted else f" {value!r}"), flush=True)
    return value


def create(name, **said):
    """Every field that the bean has, most of them null, and `name` among them."""
    nulls = ["Hostname", "Domainname", "User", "AttachStdin", "AttachStdout", "AttachStderr", "PortSpecs", "Tty", "OpenStdin", "StdinOnce",
             "Env", "Cmd", "Healthcheck", "ArgsEscaped", "Entrypoint", "Labels", "MacAddress", "NetworkDisabled", "StopSignal", "StopTimeout",
             "OnBuild", "WorkingDir", "NetworkingConfig"]
    of_host = ["Binds", "BlkioWeight", "CapAdd", "CapDrop", "ContainerIDFile", "CpuPeriod", "CpuShares", "CpuQuota", "CpusetCpus", "Devices",
               "Dns", "DnsSearch", "ExtraHosts", "GroupAdd", "IpcMode", "Cgroup", "Links", "LogConfig", "LxcConf", "Memory", "MemorySwap",
               "NetworkMode", "OomKillDisable", "Init", "AutoRemove", "PidMode", "PidsLimit", "PortBindings", "Privileged", "PublishAllPorts",
               "ReadonlyRootfs", "RestartPolicy", "Ulimits", "CpuCount", "VolumesFrom", "SecurityOpt", "CgroupParent", "ShmSize", "Runtime",
               "StorageOpt", "UsernsMode", "Sysctls", "Mounts", "Tmpfs", "UTSMode"]
    host = dict.fromkeys(of_host) | said.pop("HostConfig", {})
    body = {"name": name, **dict.fromkeys(nulls), "Image": "busybox", "Volumes": {}, "ExposedPorts": {}, **said, "HostConfig": host}
    return ask("create", "POST", f"/containers/create?name={name}", body, shows=lambda answer: sorted(answer))["Id"]


def filters(**said):
    return quote(json.dumps(said))


def code(answer):
    return answer.get("StatusCode")


nothing = {"content-type": "application/json"}
ask("ping", "GET", "/_ping", shows=bytes)
ask("inspect an image", "GET", "/images/busybox:latest/json", shows=lambda answer: answer["Os"])
ask("a name for it", "POST", "/images/busybox/tag?repo=team%2Fapp&tag=1&force=true", headers=nothing)
ask("inspect it by a name with its slash escaped", "GET", "/images/team%2Fapp:1/json", shows=lambda answer: answer["Os"])
ask("push it, with null for a body", "POST", "/images/127.0.0.1:9%2Fapp/push?tag=1", "null", wanted=(200, 404))
ask("pull what is not there, with null for a body", "POST", "/images/create?tag=1&fromImage=127.0.0.1:9%2Fapp", "null", wanted=(200, 404, 500))
network = ask("a network, with a field in two spellings", "POST", "/networks/create",
              {"enableIPv6": None, "Name": "java", "Driver": None, "IPAM": None, "Options": {}, "CheckDuplicate": True, "Internal": None,
               "EnableIPv6": None, "Attachable": None, "Labels": {"demo": "1"}}, shows=sorted)["Id"]
made = create("java-1", Cmd=["sh", "-c", "echo started; exec sleep 600"], Labels={"demo": "1"}, HostConfig={"NetworkMode": network, "Memory": 67108864})
archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode="w") as tar:
    entry = tarfile.TarInfo("note")
    entry.size = 10
    tar.addfile(entry, io.BytesIO(b"copied in\n"))
ask("files in", "PUT", f"/containers/{made}/archive?path=%2Ftmp&noOverwriteDirNonDir=false", archive.getvalue(), {"content-type": "APPLICATION_X_TAR"})
ask("start", "POST", f"/containers/{made}/start", headers=nothing)
ask("inspect", "GET", f"/containers/{made}/json", shows=lambda answer: (answer["State"]["Running"], answer["HostConfig"]["Memory"]))
ask("list", "GET", f"/containers/json?all=true&limit=1&filters={filters(label=['demo=1'], status=['running'])}", shows=len)
run = ask("exec", "POST", f"/containers/{made}/exec",
          {"containerId": made, "AttachStdout": True, "AttachStderr": True, "Cmd": ["cat", "/tmp/note"]}, shows=sorted)["Id"]
ask("exec start", "POST", f"/exec/{run}/start", {"Detach": None, "Tty": None}, shows=lambda answer: answer[8:])
ask("exec end", "GET", f"/exec/{run}/json", shows=lambda answer: answer["ExitCode"])
ask("log", "GET", f"/containers/{made}/logs?stdout=true&stderr=true&since=0&tail=100", shows=lambda answer: answer[8:])
ask("stop", "POST", f"/containers/{made}/stop?t=0", headers=nothing)
ask("wait, with null for a body", "POST", f"/containers/{made}/wait", "null", shows=code)
ask("remove", "DELETE", f"/containers/{made}?v=true&force=true")
ask("remove the network", "DELETE", f"/networks/{network}")
ask("remove the name", "DELETE", "/images/team/app:1?force=true", shows=len)
print("complete" if not failed else "not complete")
sys.exit(failed)
