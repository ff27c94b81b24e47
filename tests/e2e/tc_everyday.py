"""Testcontainers for Python, in its everyday use: each call prints a line of what came of it, the same straight and through a
gate. Ryuk is off: it mounts the daemon's socket."""

import io
import logging
import os
import sys
import tarfile
import tempfile
import warnings

os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")

from testcontainers.core.container import DockerContainer  # noqa: E402
from testcontainers.core.image import DockerImage  # noqa: E402
from testcontainers.core.network import Network  # noqa: E402
from testcontainers.core.waiting_utils import wait_for_logs  # noqa: E402

failed = False


def says(name, call):
    global failed
    try:
        print(f"{name}: {call()!r}", flush=True)
    except Exception as error:
        print(f"{name}: failed, {type(error).__name__}: {error}", flush=True)
        failed = True


def logs():
    with DockerContainer("busybox").with_command(["sh", "-c", "echo ready; exec sleep 600"]) as container:
        wait_for_logs(container, "ready", timeout=120)
        out, err = container.get_logs()
        return out, err, container.get_wrapped_container().labels.get("org.testcontainers")


def executed():
    with DockerContainer("busybox").with_env("A", "b").with_command("sleep 600") as container:
        code, output = container.exec(["sh", "-c", "echo $A; exit 3"])
        return code, output


def published():
    serve = "mkdir /www; echo page >/www/index.html; exec httpd -f -p 8080 -h /www"
    container = DockerContainer("busybox").with_exposed_ports(8080).with_command(["sh", "-c", serve])
    with container:
        script = "until wget -qO - http://127.0.0.1:8080/; do sleep 0.1; done 2>/dev/null"
        return int(container.get_exposed_port(8080)) > 0, container.exec(["timeout", "60", "sh", "-c", script])


def on_a_network():
    with Network() as network:
        server = DockerContainer("busybox").with_network(network).with_network_aliases("db")
        with server.with_command("sleep 600"):
            joined = server.get_wrapped_container().attrs["NetworkSettings"]["Networks"]
            return list(joined) == [network.name], "db" in joined[network.name]["Aliases"]


def copied():
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("copied in\n")
        file.flush()
        with DockerContainer("busybox").with_command("sleep 600") as container:
            archive = io.BytesIO()
            with tarfile.open(fileobj=archive, mode="w") as tar:
                tar.add(file.name, arcname="note")
            container.get_wrapped_container().put_archive("/tmp", archive.getvalue())
            stream, _ = container.get_wrapped_container().get_archive("/tmp/note")
            back = tarfile.open(fileobj=io.BytesIO(b"".join(stream)))
            return container.exec(["cat", "/tmp/note"]), back.extractfile("note").read()


def with_a_volume():
    container = DockerContainer("busybox").with_volume_mapping("tc-data", "/data", "rw")
    with container.with_command("sleep 600"):
        written = container.exec(["sh", "-c", "echo kept >/data/f"])
    again = DockerContainer("busybox").with_volume_mapping("tc-data", "/data", "ro")
    with again.with_command("sleep 600"):
        return written, again.exec(["cat", "/data/f"])


def built():
    with tempfile.TemporaryDirectory() as context:
        with open(os.path.join(context, "Dockerfile"), "w") as file:
            file.write('FROM busybox\nRUN echo built >/made\nCMD ["sleep", "600"]\n')
        with DockerImage(path=context, tag="localhost/testcontainers/made:1") as image:
            with DockerContainer(str(image)) as container:
                return container.exec(["cat", "/made"])


def limited():
    container = DockerContainer("busybox").with_kwargs(mem_limit="64m", read_only=True)
    with container.with_command("sleep 600"):
        host = container.get_wrapped_container().attrs["HostConfig"]
        return host["Memory"], host["ReadonlyRootfs"]


for name, call in [
    ("wait for a line of its log", logs),
    ("run something in it", executed),
    ("a port on the host", published),
    ("on a network, by a name", on_a_network),
    ("files in and out", copied),
    ("a volume", with_a_volume),
    ("an image of one's own", built),
    ("limits", limited),
]:
    if name not in os.environ.get("WITHOUT", "").split("; "):
        says(name, call)
print("complete" if not failed else "not complete")
sys.exit(failed)
