// Testcontainers for Node.js, a tool on dockerode, in its everyday use: each call prints a line of what came of it, the same
// straight and through a gate. Ryuk is off: it mounts the daemon's socket.
'use strict';

process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';

const { GenericContainer, Network, Wait } = require('testcontainers');

async function says(name, call) {
  try {
    console.log(`${name}: ${JSON.stringify(await call())}`);
  } catch (error) {
    console.log(`${name}: failed: ${error.message}`);
    process.exitCode = 1;
  }
}

// A container for the time of a call.
async function within(made, call) {
  const container = await made.start();
  try {
    return await call(container);
  } finally {
    await container.stop();
  }
}

const image = () => new GenericContainer('busybox').withPullPolicy({ shouldPull: () => false });
const sleeping = () => image().withCommand(['sleep', '600']);

(async () => {
  await says('wait for a line of its log', () => within(
    image().withCommand(['sh', '-c', 'echo ready; exec sleep 600']).withWaitStrategy(Wait.forLogMessage('ready')),
    async (container) => container.getLabels()['org.testcontainers'],
  ));
  await says('run something in it', () => within(
    sleeping().withEnvironment({ A: 'b' }),
    (container) => container.exec(['sh', '-c', 'echo $A; exit 3']),
  ));
  await says('a port on the host', () => within(
    sleeping().withExposedPorts(8080).withWaitStrategy(Wait.forSuccessfulCommand('true')),
    async (container) => container.getMappedPort(8080) > 0,
  ));
  await says('on a network, by a name', async () => {
    const network = await new Network().start();
    try {
      return await within(
        sleeping().withNetwork(network).withNetworkAliases('db'),
        async (container) => container.getNetworkNames().length,
      );
    } finally {
      await network.stop();
    }
  });
  await says('files in', () => within(
    sleeping().withCopyContentToContainer([{ content: 'copied in\n', target: '/tmp/note' }]),
    (container) => container.exec(['cat', '/tmp/note']),
  ));
  await says('limits', () => within(
    sleeping().withResourcesQuota({ memory: 0.0625 }).withUser('1000').withTmpFs({ '/t': 'rw' }).withLabels({ a: 'b' }),
    (container) => container.exec(['id', '-u']),
  ));
  await says('restarted', () => within(sleeping(), async (container) => {
    await container.restart();
    return container.exec(['echo', 'again']);
  }));
  console.log(process.exitCode ? 'not complete' : 'complete');
})();
