import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createProducer } from '../../client/index.ts';
import { freePorts } from '../support/free-ports.ts';
import { nodeImage } from '../support/node-image.ts';
import { waitFor } from '../support/wait.ts';
import { containerProblem } from '../support/zookeeper-container.ts';
import { zooKeeperImage } from '../support/zookeeper-image.ts';

const PROJECT = join(import.meta.dirname, '../..');
const ZOOKEEPER_CONFIGURATION = 'tickTime=500\ndataDir=/data\nclientPort=2181\nadmin.enableServer=false\n';
const BROKERS = ['broker-0', 'broker-1', 'broker-2'];

/** The program that reads docker-compose.yml: the engine's plugin, or the one that Debian packages. */
function composeProgram(): string[] | null {
  const candidates = [['docker', 'compose'], ['docker-compose']];
  return candidates.find(([program, ...args]) => spawnSync(program!, [...args, 'version']).status === 0) ?? null;
}

const compose = composeProgram();
const problem =
  (await containerProblem()) ?? (compose === null ? 'neither docker compose nor docker-compose is here' : null);
console.log(problem === null ? 'the image is built and run here' : `no image is built here: ${problem}`);

function docker(...args: string[]): string {
  // The builder that every engine brings; the other one is a package of its own.
  const env = { ...process.env, DOCKER_BUILDKIT: '0' };
  return execFileSync('docker', args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

describe.skipIf(problem !== null)('docker-compose.yml', () => {
  const name = `samsa-test-${process.pid}`;
  const directory = mkdtempSync(join(tmpdir(), 'samsa-compose-'));
  const environment: NodeJS.ProcessEnv = { ...process.env };
  let bootstrap = '';

  function composed(...args: string[]): string {
    const [program, ...first] = compose!;
    const options = [...first, '--project-name', name, '--file', join(PROJECT, 'docker-compose.yml')];
    return execFileSync(program!, [...options, ...args], {
      encoding: 'utf8',
      env: environment,
      cwd: PROJECT,
      stdio: 'pipe',
    });
  }

  function inside(broker: string, ...command: string[]): string {
    return docker('exec', containerOf(broker), ...command);
  }

  function containerOf(service: string): string {
    return composed('ps', '-q', service).trim();
  }

  function state(container: string): { Status: string; ExitCode: number; Health: { Status: string } } {
    return JSON.parse(docker('inspect', '--format', '{{json .State}}', container));
  }

  beforeAll(async () => {
    // Debian's npm registry settings are those of the machine; the engine's own network has no names.
    docker(
      'build',
      '--network',
      'host',
      '--build-arg',
      `NODE_IMAGE=${nodeImage(docker)}`,
      '--tag',
      'samsa-test',
      PROJECT,
    );
    writeFileSync(join(directory, 'zoo.cfg'), ZOOKEEPER_CONFIGURATION);
    writeFileSync(join(directory, 'Dockerfile'), `FROM ${await zooKeeperImage()}\nCOPY zoo.cfg /zoo.cfg\n`);
    docker('build', '--tag', 'samsa-test-zookeeper-configured', directory);
    const ports = await freePorts(3);
    bootstrap = ports.map(port => `localhost:${port}`).join(',');
    Object.assign(environment, {
      SAMSA_IMAGE: 'samsa-test',
      ZOOKEEPER_IMAGE: 'samsa-test-zookeeper-configured',
      ...Object.fromEntries(ports.map((port, id) => [`BROKER_${id}_PORT`, String(port)])),
    });
    composed('up', '--detach', '--no-build');
  }, 600_000);

  afterAll(() => {
    if (bootstrap !== '') composed('down', '--volumes', '--timeout', '1');
    rmSync(directory, { recursive: true, force: true });
  }, 120_000);

  test('starts three brokers that become healthy, and are not root', async () => {
    for (const broker of BROKERS) {
      await waitFor(`${broker} to be healthy`, () => state(containerOf(broker)).Health.Status === 'healthy');
      expect(inside(broker, 'id', '-u')).toBe('1000');
    }
  });

  test('serves this machine by one listener, and containers by the other', async () => {
    const admin = createAdmin({ 'bootstrap.servers': bootstrap });
    const producer = createProducer({ 'bootstrap.servers': bootstrap, acks: 'all' });
    try {
      const { brokers } = await waitFor('three brokers', async () => {
        const cluster = await admin.describeCluster();
        return cluster.brokers.length === 3 ? cluster : null;
      });
      expect(brokers.map(({ host, port }) => `${host}:${port}`).sort()).toEqual(bootstrap.split(',').sort());
      await admin.createTopics([{ name: 'greetings', partitions: 3, replicationFactor: 3 }]);
      for (let i = 0; i < 9; i++) await producer.send({ topic: 'greetings', value: `greeting ${i}` });
    } finally {
      admin.close();
      await producer.close(1_000);
    }
    const internal = ['--bootstrap-server', 'broker-1:29092'];
    const consume = ['--topic', 'greetings', '--from-beginning', '--max-messages', '9'];
    const lines = inside('broker-0', 'kafka-console-consumer', ...internal, ...consume)
      .split('\n')
      .sort();
    expect(lines).toEqual(Array.from({ length: 9 }, (_, i) => `greeting ${i}`));
    // As scripts for other images have it.
    expect(inside('broker-0', '/opt/kafka/bin/kafka-topics.sh', ...internal, '--list')).toBe('greetings');
  });

  test.each([
    ['SIGTERM', (broker: string) => docker('stop', '--time', '30', containerOf(broker))],
    ['kafka-server-stop within', (broker: string) => inside(broker, 'kafka-server-stop')],
  ])('a broker stops cleanly by %s, and comes back with its data', async (_, stop) => {
    const container = containerOf('broker-2');
    stop('broker-2');
    await waitFor('the broker to stop', () => state(container).Status === 'exited');
    expect(state(container).ExitCode).toBe(0);
    docker('start', container);
    await waitFor('the broker to be healthy', () => state(container).Health.Status === 'healthy');
    const { stdout } = spawnSync('docker', ['logs', container], { encoding: 'utf8' });
    // A clean stop leaves nothing to be recovered at the next start.
    const loaded = stdout.split('\n').filter(line => line.includes('loaded a log directory'));
    expect(loaded.at(-1)).toContain('"recovered":false');
  });
});
