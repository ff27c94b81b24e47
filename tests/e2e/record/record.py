"""Records what real clients send, into tests/fixtures/clients/*.yaml.

    scripts/record-clients.sh [CLIENT...]

starts a private daemon for each and runs this with the virtual environment's Python. Each client's everyday
commands go through a recording proxy; requests that differ from one already kept only in ids are
left out. A client that is not on the machine is named loudly, and its file left as it is.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading

from proxy import Recorder, Server

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
OUT = os.path.join(ROOT, "tests", "fixtures", "clients")
HOST_PATH = "/srv/dockward-demo"

# (name, shell line). $D is the client under record; failures are meant only where the name says so.
CLI = [
    ("version", "$D version"),
    ("info", "$D info"),
    ("system df", "$D system df -v"),
    ("ps", "$D ps -a --filter label=demo --filter status=running -n 3 -s"),
    ("images", "$D images -a; $D images --filter reference='busy*'"),
    ("run --rm", "$D run --rm busybox echo hi"),
    ("run -d with everything", f"""mkdir -p {HOST_PATH}; $D run -d --name web --hostname web -p 8080:80 -p 127.0.0.1:8443:443/tcp -p 53/udp
        -v {HOST_PATH}:/srv:ro -v data:/data -v /anon --mount type=bind,source={HOST_PATH},target=/m1,readonly
        --mount type=volume,source=cache,target=/m2,volume-label=a=b --mount type=tmpfs,target=/m3,tmpfs-size=1m,tmpfs-mode=1770
        --tmpfs /t:rw,size=1m --memory 64m --memory-swap 128m --memory-reservation 32m --cpus 0.5 --cpu-shares 512
        --cpuset-cpus 0 --pids-limit 100 --restart on-failure:3 --label demo=1 -e A=b -e C= --read-only --cap-drop ALL
        --cap-add NET_BIND_SERVICE --security-opt no-new-privileges --ulimit nofile=1024:2048 --sysctl net.ipv4.ip_forward=0
        --user 0:0 --workdir /tmp --dns 127.0.0.1 --dns-search example.org --add-host db:10.0.0.1 --init --stop-signal INT
        --stop-timeout 3 --log-driver json-file --log-opt max-size=1m --shm-size 16m --oom-score-adj 10 --group-add 10
        --ipc private --health-cmd 'true' --health-interval 30s --health-retries 2 --expose 9000 --entrypoint sh
        busybox -c 'while true; do echo tick; sleep 1; done'"""),
    ("network create", "$D network create --label a=b --subnet 10.77.0.0/24 --gateway 10.77.0.1 -o com.docker.network.bridge.enable_icc=true --internal back; $D network create front"),
    ("run on a network", "$D run -d --name app --network front --network-alias api busybox sleep 600"),
    ("run with old links and mac", "$D run --rm --link web:w --mac-address 02:42:ac:11:00:99 busybox true"),
    ("run sharing a container", "$D run --rm --network container:app --pid container:app --volumes-from app:ro busybox true"),
    ("run refused kinds (create only)", f"""$D create --name bad1 --privileged busybox; $D create --name bad2 -v /:/h busybox;
        $D create --name bad3 --pid host busybox; $D create --name bad4 --network host busybox; $D create --name bad5 --cap-add ALL busybox;
        $D create --name bad6 --device /dev/null busybox; $D create --name bad7 --security-opt seccomp=unconfined busybox;
        $D create --name bad8 --mount type=volume,source=evil,target=/h,volume-driver=local,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/ busybox;
        $D rm bad1 bad2 bad3 bad4 bad5 bad6 bad7 bad8"""),
    ("run -it", "script -qec \"$D run --rm -it busybox sh -c 'tty; echo typed'\" /dev/null </dev/null"),
    ("run -i piped", "printf 'one\\ntwo\\n' | $D run --rm -i busybox wc -l"),
    ("exec", "$D exec app echo hi; $D exec -u 0 -w /tmp -e X=y app env; $D exec -d app sleep 1; $D exec --privileged app true"),
    ("exec -i", "printf 'abc' | $D exec -i app cat"),
    ("exec -t", "script -qec \"$D exec -it app tty\" /dev/null </dev/null"),
    ("attach", "timeout -s KILL 3 $D attach --no-stdin --sig-proxy=false web; $D run -d -i --name att busybox cat; printf 'x\\n' | timeout -s KILL 3 $D attach --detach-keys ctrl-a,a att; $D rm -f att"),
    ("logs", "$D logs --tail 2 -t --since 10m web; timeout 2 $D logs -f web; true"),
    ("events", "$D events --since 1m --until 0s --filter type=container --format '{{json .}}'"),
    ("stats", "$D stats --no-stream web app; $D stats --no-stream"),
    ("top", "$D top web; $D top web -o pid,args"),
    ("cp", "echo x >cp.txt; $D cp cp.txt app:/tmp/x; $D cp app:/tmp/x back.txt; $D cp -a app:/etc - | tar -t >/dev/null; tar -c cp.txt | $D cp - app:/tmp"),
    ("build classic", "DOCKER_BUILDKIT=0 $D build -t built:1 --build-arg A=b --label l=m --no-cache --pull=false ctx; DOCKER_BUILDKIT=0 $D build -q -f ctx/Dockerfile --target base --memory 64m ctx"),
    ("build from stdin", "DOCKER_BUILDKIT=0 $D build -t built:2 - <ctx/Dockerfile.stdin"),
    ("build BuildKit", "DOCKER_BUILDKIT=1 $D build -t built:3 --progress plain --build-arg A=b ctx"),
    ("save and load", "$D save -o s.tar built:1 busybox; $D load -i s.tar; $D load -q <s.tar"),
    ("import and export", "$D export app >e.tar; $D import -c 'CMD sh' -m note e.tar imported:1; $D import - imported:2 <e.tar"),
    ("commit", "$D commit -a me -m note -c 'CMD echo' app committed:1; $D commit -p=false app"),
    ("tag and rmi", "$D tag busybox mine:1; $D rmi mine:1; $D rmi -f --no-prune imported:2"),
    ("pull and push (no registry)", "timeout 20 $D pull -q localhost:1/none:1; timeout 20 $D push localhost:1/none:1; timeout 20 $D manifest inspect localhost:1/none:1"),
    ("search (no registry)", "timeout 10 $D search --filter stars=3 --limit 5 localhost:1/x"),
    ("login (no registry)", "echo p | timeout 20 $D login -u u --password-stdin localhost:1"),
    ("history and image inspect", "$D history built:1; $D image inspect built:1 busybox"),
    ("volume", "$D volume create --label a=b vol1; $D volume create; $D volume create -d local -o type=tmpfs -o device=tmpfs vol2; $D volume ls --filter dangling=true; $D volume inspect vol1; $D volume rm vol1 vol2"),
    ("network", "$D network ls --filter driver=bridge; $D network inspect -v front; $D network connect --alias other --ip 10.77.0.9 back app; $D network disconnect -f back app"),
    ("inspect", "$D inspect app web; $D inspect -s --type container app; $D inspect front; $D inspect busybox; $D inspect data"),
    ("diff", "$D diff app"),
    ("rename", "$D rename app app2; $D rename app2 app"),
    ("update", "$D update --memory 32m --memory-swap 64m --cpu-shares 100 --restart no --pids-limit 50 web"),
    ("pause", "$D pause app; $D unpause app"),
    ("kill, stop, start, restart, wait", "$D kill -s KILL app; $D wait app; $D start app; $D restart -t 1 app; $D stop -t 1 app; $D start -a app & sleep 1; $D stop -t 0 app; wait"),
    ("port", "$D port web; $D port web 80/tcp"),
    ("not there", "$D inspect nothing; $D rm nothing; $D start nothing; $D exec nothing true; $D run --rm nothing:1"),
    ("rm", "$D rm -f -v web app; $D network rm front back; $D volume rm data cache"),
    ("prune", "$D container prune -f --filter until=1h; $D volume prune -f; $D network prune -f --filter label=x; $D image prune -f; $D image prune -a -f --filter label=none; $D system prune -f; DOCKER_BUILDKIT=1 $D builder prune -f"),
    ("swarm, plugins (read only)", "$D node ls; $D service ls; $D secret ls; $D config ls; $D stack ls; $D plugin ls"),
]

COMPOSE_FILE = f"""version: "3.8"
services:
  db:
    image: busybox
    command: ["sleep", "600"]
    environment: {{A: b}}
    volumes: ["dbdata:/data", "{HOST_PATH}:/srv:ro"]
    networks: [back]
    labels: {{l: m}}
    healthcheck: {{test: ["CMD", "true"], interval: 5s}}
  web:
    build: ./ctx
    image: composed:1
    command: sh -c 'while true; do echo tick; sleep 1; done'
    ports: ["8090:80"]
    depends_on: [db]
    restart: unless-stopped
    read_only: true
    tmpfs: [/tmp]
    cap_drop: [ALL]
    networks: [back, default]
    deploy: {{resources: {{limits: {{memory: 64M}}}}}}
networks: {{back: {{}}}}
volumes: {{dbdata: {{}}}}
"""

COMPOSE = [
    ("up", "$D up -d"),
    ("ps", "$D ps; $D ps -q"),
    ("exec", "$D exec -T db echo hi; script -qec '$D exec db tty' /dev/null </dev/null"),
    ("run", "$D run --rm -T db echo once"),
    ("logs", "$D logs --tail 2 web; timeout 3 $D logs -f web; true"),
    ("top, port, images", "$D top; $D port web 80; $D images"),
    ("build", "$D build --no-cache web"),
    ("up again", "$D up -d --force-recreate --scale db=2"),
    ("stop, start, restart, pause, kill", "$D stop -t 0; $D start; $D restart -t 0; $D pause; $D unpause; $D kill"),
    ("events", "timeout 2 $D events --json; true"),
    ("rm", "$D rm -f -v web"),
    ("down", "$D down -v -t 0 --remove-orphans --rmi local"),
]


def shell(lines, env, cwd):
    text = " ".join(line.strip() for line in lines.split("\n"))
    done = subprocess.run(["timeout", "-s", "KILL", "120", "bash", "-c", text], env=env, cwd=cwd,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode(errors="replace")


def scene(directory):
    ctx = os.path.join(directory, "ctx")
    os.makedirs(ctx)
    with open(os.path.join(ctx, "Dockerfile"), "w") as file:
        file.write("FROM busybox AS base\nARG A=1\nCOPY file /file\nFROM base\nRUN cat /file && echo $A >/arg\n")
    with open(os.path.join(ctx, "Dockerfile.stdin"), "w") as file:
        file.write("FROM busybox\nENV A=b\n")
    with open(os.path.join(ctx, "file"), "w") as file:
        file.write("content\n")
    with open(os.path.join(directory, "docker-compose.yml"), "w") as file:
        file.write(COMPOSE_FILE)


def record(client, program, cases, daemon, spoof=None, plugins=False):
    with tempfile.TemporaryDirectory() as top:
        directory = os.path.join(top, "demo")
        os.mkdir(directory)
        scene(directory)
        path = os.path.join(top, "docker.sock")
        recorder = Recorder(daemon, spoof)
        server = Server(path, recorder)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        env = {key: value for key, value in os.environ.items()
               if key not in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")}
        env.update(DOCKER_HOST="unix://" + path, DOCKER_CONFIG=os.path.join(top, "config"), D=program)
        if plugins:
            os.mkdir(env["DOCKER_CONFIG"])
            with open(os.path.join(env["DOCKER_CONFIG"], "config.json"), "w") as file:
                json.dump({"cliPluginsExtraDirs": [engine("usr/libexec/docker/cli-plugins")]}, file)
        for name, line in cases:
            recorder.name = name
            output = shell(line, env, directory)
            if os.environ.get("SHOW"):
                print(f"--- {client}: {name}\n{output}", flush=True)
        server.shutdown()
        server.server_close()
        return recorder.entries


def shape(value):
    """The keys of a JSON value, and the kinds of its leaves."""
    if isinstance(value, dict):
        return tuple((key, shape(item)) for key, item in value.items())
    if isinstance(value, list):
        return tuple(shape(item) for item in value)
    return type(value).__name__


def key(entry):
    path, _, query = entry["target"].partition("?")
    path = re.sub(r"^/v[0-9.]+", "", path)
    path = re.sub(r"[0-9a-f]{12,64}", "ID", path)
    path = re.sub(r"/(containers|images|networks|volumes|exec)/[^/]+(?=/|$)(?<!/json)(?<!/create)(?<!/prune)", r"/\1/X", path)
    names = tuple(sorted(part.split("=")[0] for part in query.split("&")))
    headers = tuple((name, value if name not in ("Content-Length", "Host") and not name.startswith("X-Docker-Expose-Session") else "")
                    for name, value in entry["headers"])
    raw = entry.get("raw", "").strip()
    return (entry["method"], path, names, headers, shape(json.loads(raw)) if raw else "opaque" in entry)


def distinct(entries):
    seen, kept = set(), []
    for entry in entries:
        mark = key(entry)
        if mark not in seen:
            seen.add(mark)
            kept.append(entry)
    return kept


def masked(text, known):
    """Each id becomes another one of the same length, the same wherever it is: a new recording
    differs from the last where a client does, not where a daemon drew other numbers."""
    def stand_in(match):
        full = known.setdefault(match.group(0), len(known))
        return hashlib.sha256(f"id {full}".encode()).hexdigest()[: len(match.group(0))]
    return re.sub(r"(?<![0-9a-f])(?:[0-9a-f]{64}|[0-9a-f]{12})(?![0-9a-f])", stand_in, text)


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def write(client, title, entries):
    known = {}
    out = [f"# What {title} really sends: recorded by scripts/record-clients.sh, in front of a real daemon.",
           "# Ids are replaced by others of the same length; Content-Length is as sent. `raw` is the body,",
           "# byte for byte; `opaque` stands for a body that is no JSON. `status` is the daemon's answer."]
    for entry in entries:
        out.append("")
        out.append(f"- name: {quoted(entry['name'])}")
        out.append(f"  method: {entry['method']}")
        out.append(f"  target: {quoted(masked(entry['target'], known))}")
        if "status" in entry:
            out.append(f"  status: {entry['status']}")
        out.append("  headers:")
        for name, value in entry["headers"]:
            out.append(f"    - [{quoted(name)}, {quoted(value)}]")
        if "raw" in entry:
            raw = masked(entry["raw"], known)
            out.append("  raw: |" if raw.endswith("\n") else "  raw: |-")
            out.append("    " + raw.removesuffix("\n"))
        if "opaque" in entry:
            out.append(f"  opaque: {{ length: {entry['opaque']['length']}, sha256: {entry['opaque']['sha256']} }}")
    with open(os.path.join(OUT, client + ".yaml"), "w") as file:
        file.write("\n".join(out) + "\n")
    print(f"{client}: {len(entries)} requests", flush=True)


BUILDX = [
    ("version and builders", "$D buildx version; $D buildx ls; $D buildx inspect"),
    ("build", "$D buildx build -t built:1 --progress plain --build-arg A=b --label l=m --no-cache ctx"),
    ("build from stdin", "$D buildx build -t built:2 - <ctx/Dockerfile.stdin"),
    ("build with a secret, out to a directory", "echo s >secret; $D buildx build --secret id=s,src=secret --output type=local,dest=out ctx"),
    ("build, exported as a tar", "$D buildx build --output type=docker,dest=out.tar ctx; $D load -i out.tar"),
    ("bake", "printf 'target \"default\" {\n context = \"ctx\"\n tags = [\"baked:1\"]\n}\n' >docker-bake.hcl; $D buildx bake"),
    ("history", "$D buildx history ls; $D buildx history rm --all"),
    ("disk usage and prune", "$D buildx du; $D buildx prune -f"),
    ("a builder in a container (no registry)", "timeout 60 $D buildx create --name other --driver docker-container --bootstrap; $D buildx rm other"),
]


def engine(path):
    """A program of the engine that this is recorded before."""
    root = os.environ.get("DOCKWARD_RECORD_ENGINE")
    return os.path.join(root, path) if root else None


def cli(wanted):
    for program in (engine("usr/bin/docker"), "/usr/bin/docker", "/usr/local/bin/docker", shutil.which("docker")):
        if program and os.path.exists(program):
            version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
            if f"version {wanted}" in version:
                return program
    return None


def python(*arguments):
    return " ".join([sys.executable, *arguments])


def main():
    daemon = os.environ["DOCKWARD_RECORD_DAEMON"]
    wanted = sys.argv[1:]
    new = ("1.49", "1.41")
    for client in wanted:
        entries = []
        if client.startswith("cli-"):
            version = client.removeprefix("cli-")
            program = cli(version)
            if not program:
                print(f"{client}: NOT ON THIS MACHINE, {client}.yaml stays as it was", flush=True)
                continue
            title = f"the docker command line, {version},"
            entries = record(client, program, CLI, daemon, plugins=bool(engine("")))
            if version != "20.10" and not engine(""):
                entries += record(client, program, CLI, daemon, new)
        elif client == "docker-py-7":
            title = "docker-py 7"
            script = os.path.join(HERE, "everyday.py")
            entries = record(client, python(script), [("everyday", "$D")], daemon)
            entries += record(client, python(script), [("everyday", "$D")], daemon, new)
        elif client == "compose-1.29":
            title = "docker-compose 1.29.2"
            entries = record(client, "docker-compose --ansi never", COMPOSE, daemon)
            entries += record(client, "docker-compose", [("up at 1.38", "COMPOSE_API_VERSION=1.38 $D up -d; COMPOSE_API_VERSION=1.38 $D down -v -t 0")], daemon)
        elif client == "compose-2":
            title = "compose 2"
            program = engine("usr/libexec/docker/cli-plugins/docker-compose") + " --ansi never"
            entries = record(client, program, COMPOSE, daemon, plugins=True)
        elif client == "buildx-0.29":
            title = "buildx 0.29"
            entries = record(client, engine("usr/bin/docker"), BUILDX, daemon, plugins=True)
        elif client == "bollard-0.21":
            title = "bollard 0.21"
            binary = os.environ["DOCKWARD_RECORD_BOLLARD"]
            entries = record(client, binary, [("everyday", "DOCKWARD_RECORD_SOCKET=${DOCKER_HOST#unix://} $D bollard --exact --nocapture")], daemon)
        write(client, title, distinct(entries))


main()
