"""docker-py's everyday use, printed so that two runs can be compared. DOCKER_HOST says where."""

import io
import tarfile

import docker


def tar(name, content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def main():
    client = docker.from_env(timeout=300)
    print("ping", client.ping())
    print("api", client.version()["ApiVersion"])
    print("driver", client.info()["Driver"])
    print("df", sorted(client.df()))
    print("run", client.containers.run("busybox", "echo hi", remove=True))
    network = client.networks.create("py-net", driver="bridge", labels={"l": "m"}, internal=True)
    volume = client.volumes.create("py-vol", labels={"l": "m"})
    print("volume", volume.attrs["Labels"], [item.name for item in client.volumes.list(filters={"label": "l=m"})])
    web = client.containers.run(
        "busybox", ["sh", "-c", "echo started; exec sleep 600"], name="py-web", detach=True,
        ports={"80/tcp": None, "443/tcp": ("127.0.0.1", 8444)}, environment={"A": "b"}, labels={"l": "m"},
        mem_limit="64m", pids_limit=50, cap_drop=["ALL"], read_only=True, network="py-net",
        restart_policy={"Name": "on-failure", "MaximumRetryCount": 2}, tmpfs={"/tmp": "size=1m"},
        volumes={"py-vol": {"bind": "/data", "mode": "rw"}}, security_opt=["no-new-privileges"],
        mounts=[docker.types.Mount("/more", "py-more", type="volume")], user="0", working_dir="/tmp",
        ulimits=[docker.types.Ulimit(name="nofile", soft=1024, hard=2048)], init=True, stop_signal="SIGKILL",
        healthcheck={"test": ["CMD", "true"], "interval": 30_000_000_000},
        log_config=docker.types.LogConfig(type="json-file", config={"max-size": "1m"}))
    print("state", client.containers.get("py-web").status)
    print("list", [item.name for item in client.containers.list(all=True, filters={"label": "l=m"})])
    print("exec", web.exec_run("echo from exec", environment={"X": "y"}, user="0", workdir="/tmp"))
    print("exec stream", b"".join(web.exec_run(["sh", "-c", "echo a; echo b"], stream=True).output))
    print("exec demux", web.exec_run(["sh", "-c", "echo out; echo err >&2"], demux=True))
    raw = client.api.exec_create(web.id, ["cat"], stdin=True)
    connection = client.api.exec_start(raw["Id"], socket=True)
    # Over TLS it is the socket itself, otherwise a file around it. No half-close: Python gives up the
    # whole TLS session with it. The first byte of a frame says that it is of stdout.
    stdin = getattr(connection, "_sock", connection)
    stdin.sendall(b"through stdin\n")
    print("exec stdin", stdin.recv(1), client.api.exec_inspect(raw["Id"])["ProcessConfig"]["entrypoint"])
    connection.close()
    # What is read beyond the first line depends on when the container writes it.
    print("logs", web.logs(tail=1), next(web.logs(stream=True, follow=True)))
    print("top", web.top()["Titles"])
    print("stats", "memory_stats" in web.stats(stream=False))
    print("put", web.put_archive("/data", tar("x", b"content")))
    stream, stat = web.get_archive("/data/x")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        print("get", stat["name"], stat["size"], archive.extractfile("x").read())
    print("diff", type(web.diff()).__name__)
    web.update(mem_limit="96m", memswap_limit="128m")
    web.pause()
    web.unpause()
    web.rename("py-web-2")
    web.restart(timeout=0)
    web.stop(timeout=0)
    print("wait", web.wait()["StatusCode"] in (0, 137))
    web.start()
    web.kill()
    image = web.commit("py-committed", tag="1", message="note", changes="CMD echo")
    print("commit", image.tags)
    built, _ = client.images.build(fileobj=io.BytesIO(tar("Dockerfile", b"FROM busybox\nENV A=b\n")), custom_context=True, tag="py-built:1")
    print("build", built.tags, built.attrs["Config"]["Env"])
    print("tag", built.tag("py-tagged", "1"), sorted(item["Tags"] is None for item in built.history())[:1])
    saved = b"".join(built.save(named=True))
    print("load", [item.tags for item in client.images.load(saved)])
    for tag in ("py-committed:1", "py-tagged:1", "py-built:1"):
        client.images.remove(tag, force=True)
    for missing in (client.containers.get, client.images.get, client.volumes.get, client.networks.get):
        try:
            missing("nothing")
        except docker.errors.NotFound as error:
            print("missing", error.explanation)
    network.disconnect(web)
    network.connect(web, aliases=["other"])
    web.remove(v=True, force=True)
    network.remove()
    volume.remove()
    client.volumes.get("py-more").remove()
    print("prune", sorted(client.containers.prune(filters={"label": "l=m"})), sorted(client.networks.prune()),
          sorted(client.volumes.prune()), sorted(client.images.prune({"dangling": True})))
    print("events", [event["Action"] for event in client.events(since=1, until=2, decode=True)])


main()
