// dockerode, in its everyday use: each call prints a line of what came of it, the same straight and through a gate.
// It sends whatever it is given twice, in the query and as JSON, with every POST.
'use strict';

const { PassThrough, Readable, Writable } = require('stream');
const Docker = require('dockerode');
const tar = require('tar-stream');

const docker = new Docker();

// What is left of what differs from run to run.
const plain = (value) => JSON.stringify(value === undefined ? null : value);

async function says(name, call) {
  try {
    console.log(`${name}: ${plain(await call())}`);
  } catch (error) {
    console.log(`${name}: failed, ${error.statusCode || error.code}: ${error.message}`);
    process.exitCode = 1;
  }
}

function text(stream) {
  return new Promise((resolve, reject) => {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(Buffer.from(chunk)));
    stream.on('end', () => resolve(Buffer.concat(chunks).toString()));
    stream.on('close', () => resolve(Buffer.concat(chunks).toString()));
    stream.on('error', reject);
  });
}

// Output of a session without a terminal, its two streams apart.
async function demuxed(stream) {
  const out = new PassThrough();
  const err = new PassThrough();
  docker.modem.demuxStream(stream, out, err);
  const ended = () => { out.end(); err.end(); };
  stream.on('end', ended);
  stream.on('close', ended);
  return { out: await text(out), err: await text(err) };
}

function archive(files) {
  const pack = tar.pack();
  for (const [name, content] of Object.entries(files)) pack.entry({ name }, content);
  pack.finalize();
  return pack;
}

async function names(stream) {
  const found = [];
  const extract = tar.extract();
  extract.on('entry', (header, entry, next) => {
    found.push(header.name);
    entry.on('end', next);
    entry.resume();
  });
  await new Promise((resolve, reject) => {
    stream.pipe(extract);
    extract.on('finish', resolve);
    extract.on('error', reject);
  });
  return found.sort();
}

async function followed(stream) {
  const lines = await new Promise((resolve, reject) =>
    docker.modem.followProgress(stream, (error, all) => (error ? reject(error) : resolve(all))));
  return lines.some((line) => line.error) ? lines : 'done';
}

async function until(what, holds) {
  for (let nth = 0; nth < 600; nth += 1) {
    if (await holds()) return what;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never ${what}`);
}

const busy = { Image: 'busybox', Cmd: ['sh', '-c', 'trap exit TERM; echo up; while :; do sleep 0.1; done'] };

async function containers() {
  let web;
  await says('create', async () => {
    web = await docker.createContainer({
      ...busy, name: 'ode-web', Env: ['A=b'], Labels: { of: 'ode' }, ExposedPorts: { '80/tcp': {} },
      HostConfig: { PortBindings: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] }, Binds: ['ode-data:/data'], Memory: 67108864, RestartPolicy: { Name: 'no' } },
    });
    return web.id.length;
  });
  await says('create, of a name that is taken', () => docker.createContainer({ ...busy, name: 'ode-web' }).catch((error) => error.statusCode));
  await says('start', () => web.start().then(() => 'started'));
  await says('start, once more', () => web.start({}).catch((error) => error.statusCode));
  await says('inspect', async () => {
    const seen = await web.inspect();
    return [seen.Name, seen.State.Running, seen.Config.Env[0], seen.HostConfig.Memory, seen.Mounts[0].Name];
  });
  await says('list', async () => (await docker.listContainers({ filters: { label: ['of=ode'] } })).map((of) => [of.Names, of.State]));
  await says('list, all', async () => (await docker.listContainers({ all: true, filters: '{"name":["ode-"]}' })).length);
  await says('logs', () => until('told', async () => (await web.logs({ stdout: true, stderr: true, tail: 5 })).toString().includes('up')));
  await says('logs, followed', async () => {
    const stream = await web.logs({ follow: true, stdout: true });
    return new Promise((resolve) => stream.on('data', (chunk) => {
      if (chunk.toString().includes('up')) { stream.destroy(); resolve('up'); }
    }));
  });
  await says('top', async () => (await web.top({ ps_args: '-o pid,args' })).Titles);
  await says('stats', async () => typeof (await web.stats({ stream: false })).memory_stats);
  await says('exec', async () => {
    const exec = await web.exec({ Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 3'], AttachStdout: true, AttachStderr: true });
    const said = await demuxed(await exec.start({}));
    return [said, (await exec.inspect()).ExitCode];
  });
  await says('exec, spoken to', async () => {
    const exec = await web.exec({ Cmd: ['cat'], AttachStdin: true, AttachStdout: true });
    const stream = await exec.start({ hijack: true, stdin: true });
    stream.write('hello\n');
    stream.end();
    return demuxed(stream);
  });
  await says('exec, on a terminal', async () => {
    const exec = await web.exec({ Cmd: ['sh', '-c', 'tty && read line && echo got $line'], AttachStdin: true, AttachStdout: true, Tty: true });
    const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
    await exec.resize({ h: 24, w: 80 });
    stream.write('x\n');
    return (await text(stream)).includes('got x');
  });
  await says('put an archive', async () => (await web.putArchive(archive({ 'put.txt': 'put' }), { path: '/tmp' })) && 'put');
  await says('rename', () => web.rename({ name: 'ode-renamed' }).then(() => web.inspect()).then((seen) => seen.Name));
  await says('update', async () => (await web.update({ CpuShares: 512 })) && (await web.inspect()).HostConfig.CpuShares);
  // containerd tells the daemon of it a moment after it was done
  const paused = async (wanted) => {
    for (;;) {
      const is = (await web.inspect()).State.Paused;
      if (is === wanted) return is;
    }
  };
  await says('pause', () => web.pause().then(() => paused(true)));
  await says('unpause', () => web.unpause().then(() => paused(false)));
  await says('changes', async () => (await web.changes() || []).filter((change) => change.Path === '/data').length);
  await says('restart', () => web.restart({ t: 5 }).then(() => web.inspect()).then((seen) => seen.State.Running));
  await says('kill', () => web.kill({ signal: 'KILL' }).then(() => web.wait()).then((end) => typeof end.StatusCode));
  await says('start and stop', () => web.start().then(() => web.stop({ t: 5 })).then(() => web.inspect()).then((seen) => seen.State.Running));
  await says('get an archive', async () => names(await web.getArchive({ path: '/bin/busybox' })));
  await says('what an archive would be', async () => typeof (await web.infoArchive({ path: '/bin' })).headers['x-docker-container-path-stat']);
  await says('export', async () => (await names(await web.export())).includes('bin/busybox'));
  await says('commit', async () => typeof (await web.commit({ repo: 'ode-made', tag: '1', comment: 'by ode', changes: 'ENV C=d', pause: true })).Id);
  await says('attach', async () => {
    const box = await docker.createContainer({ Image: 'busybox', Cmd: ['cat'], OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true });
    const stream = await box.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
    await box.start();
    stream.write('spoken\n');
    stream.end();
    const said = await demuxed(stream);
    await box.wait();
    await box.remove({ force: true, v: true });
    return said;
  });
  await says('run', async () => {
    const out = [];
    const sink = new Writable({ write(chunk, _, done) { out.push(chunk); done(); } });
    const said = new Promise((resolve) => sink.on('finish', resolve)); // `run` itself only waits for the container's end
    const [end, box] = await docker.run('busybox', ['echo', 'ran'], sink, { Tty: true });
    await said;
    await box.remove();
    return [Buffer.concat(out).toString().trim(), end.StatusCode];
  });
  await says('run, and remove', async () => {
    const sink = new Writable({ write(chunk, _, done) { done(); } });
    const fleeting = { name: 'ode-fleeting', HostConfig: { AutoRemove: true } };
    // `run` asks how it ended when it has started it, which may be when there is no such container any more
    const gone = (error) => { if (error.statusCode !== 404 || error.reason !== 'no such container') throw error; };
    await docker.run('busybox', ['true'], sink, fleeting).catch(gone);
    return until('gone', () => docker.getContainer('ode-fleeting').inspect().then(() => false, (error) => error.statusCode === 404));
  });
  await says('remove', () => web.remove({ v: true, force: true }).then(() => 'gone'));
  await says('inspect what is gone', () => web.inspect().catch((error) => error.statusCode));
  await says('prune', async () => (await docker.pruneContainers({ filters: { label: ['of=ode'] } })).SpaceReclaimed);
}

async function others() {
  await says('image, inspected', async () => typeof (await docker.getImage('ode-made:1').inspect()).Id);
  await says('image, its history', async () => (await docker.getImage('ode-made:1').history())[0].Comment);
  await says('tag', () => docker.getImage('ode-made:1').tag({ repo: 'ode-made', tag: '2' }).then(() => 'tagged'));
  await says('images', async () => (await docker.listImages({ filters: { reference: ['ode-made'] } })).map((of) => of.RepoTags.sort()));
  await says('build', async () => followed(await docker.buildImage(archive({ Dockerfile: 'FROM busybox\nRUN echo built >/built\n' }), { t: 'ode-built', nocache: true })));
  await says('remove an image', () => docker.getImage('ode-made:1').remove({ force: true }).then((all) => all.length > 0));
  await says('remove the others', () => Promise.all(['ode-made:2', 'ode-built'].map((name) => docker.getImage(name).remove())).then((all) => all.length));
  let volume;
  await says('volume', async () => { volume = docker.getVolume((await docker.createVolume({ Name: 'ode-volume', Labels: { of: 'ode' } })).name || 'ode-volume'); return (await volume.inspect()).Labels.of; });
  await says('volumes', async () => (await docker.listVolumes({ filters: { label: ['of=ode'] } })).Volumes.map((of) => of.Name));
  await says('volume, removed', () => volume.remove().then(() => 'gone'));
  await says('volume of before', () => docker.getVolume('ode-data').remove({ force: true }).then(() => 'gone'));
  await says('volumes pruned', async () => Object.keys(await docker.pruneVolumes({ filters: { label: ['of=ode'] } })).sort());
  let network; let box;
  await says('network', async () => { network = await docker.createNetwork({ Name: 'ode-net', Driver: 'bridge', Internal: true, Labels: { of: 'ode' }, CheckDuplicate: true }); return (await network.inspect()).Internal; });
  await says('networks', async () => (await docker.listNetworks({ filters: { name: ['ode-net'] } })).map((of) => of.Name));
  await says('connect', async () => {
    box = await docker.createContainer({ ...busy, name: 'ode-box' });
    await network.connect({ Container: 'ode-box', EndpointConfig: {} });
    await box.start();
    return Object.keys((await box.inspect()).NetworkSettings.Networks).includes('ode-net');
  });
  await says('disconnect', () => network.disconnect({ Container: box.id, Force: true }).then(() => box.inspect()).then((seen) => Object.keys(seen.NetworkSettings.Networks).includes('ode-net')));
  await says('box, removed', () => box.remove({ force: true }).then(() => 'gone'));
  await says('network, removed', () => network.remove().then(() => 'gone'));
  await says('networks pruned', async () => (await docker.pruneNetworks({ filters: { label: ['of=ode'] } })).NetworksDeleted || []);
  await says('ping', async () => (await docker.ping()).toString());
  await says('version', async () => typeof (await docker.version()).ApiVersion);
  await says('info', async () => typeof (await docker.info()).Containers);
  await says('events', async () => {
    const stream = await docker.getEvents({ since: Math.floor(Date.now() / 1000) - 1, filters: { container: ['ode-seen'], event: ['create'] } });
    const told = new Promise((resolve) => stream.on('data', (chunk) => resolve(JSON.parse(chunk.toString()).Action)));
    const seen = await docker.createContainer({ ...busy, name: 'ode-seen' });
    const action = await told;
    stream.destroy();
    await seen.remove();
    return action;
  });
}

containers().then(others).then(() => {
  console.log('complete');
  process.exit(process.exitCode);
});
