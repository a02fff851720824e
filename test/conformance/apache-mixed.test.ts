import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { absenceOf, javaArguments, whereAbsent } from '../support/apache-kafka.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { freePorts } from '../support/free-ports.ts';
import { run, tool } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';
import { ZooKeeperProcess } from '../support/zookeeper-process.ts';

/** One cluster of a Samsa broker (0) and an Apache broker (1), which replicate to and control each other. */

const TOPIC = 'mixed';

let directory: string;
let zookeeper: ZooKeeperProcess;
let samsa: BrokerProcess;
let apache: BrokerProcess;

/** What a broker tells of cluster and topic. */
const seenBy = async (broker: BrokerProcess): Promise<string> =>
  (await run('kcat', ['-b', broker.address, '-L', '-t', TOPIC])).stdout;

/** Waits until a broker tells of this controller, and of both brokers in both ISRs. */
const healthy = (broker: BrokerProcess, controller: BrokerProcess) =>
  waitFor(`broker ${broker.id} to see everything in sync`, async () => {
    const seen = await seenBy(broker);
    const inSync = seen.match(/isrs: (0,1|1,0)\n/g)?.length === 2;
    return inSync && seen.includes(`broker ${controller.id} at ${controller.address} (controller)`);
  });

/** Waits until a broker tells that it leads both partitions without the other. */
const leadsAlone = (broker: BrokerProcess) =>
  waitFor(`broker ${broker.id} to lead alone`, async () => {
    const lines = (await seenBy(broker)).matchAll(/leader (\d), .* isrs: (.*)\n/g);
    return (
      [...lines].map(line => `${line[1]} ${line[2]}`).join() === `${broker.id} ${broker.id},${broker.id} ${broker.id}`
    );
  });

/** Writes to both partitions with acks=all; what can then be read, by partition. */
async function written(lines: string): Promise<string[]> {
  const brokers = ['-b', `${samsa.address},${apache.address}`, '-t', TOPIC];
  const contents: string[] = [];
  for (const partition of ['0', '1']) {
    const settings = ['-X', 'acks=all', '-X', 'enable.idempotence=true', '-z', 'zstd'];
    const produced = await run('kcat', [...brokers, '-P', '-p', partition, ...settings], { input: lines });
    expect(produced.code, produced.stderr).toBe(0);
    const read = await run('kcat', [...brokers, '-C', '-p', partition, '-o', 'beginning', '-e', '-q']);
    contents.push(read.stdout);
  }
  return contents;
}

describe.skipIf(absenceOf('3.9') !== null)(whereAbsent('3.9', 'a Samsa broker beside one of Apache Kafka 3.9'), () => {
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'samsa-mixed-'));
    zookeeper = await ZooKeeperProcess.start({ directory: join(directory, 'zookeeper') });
    const ports = await freePorts(2);
    const options = [0, 1].map(id => {
      const own = join(directory, String(id));
      mkdirSync(own);
      return { id, port: ports[id]!, zookeeper: zookeeper.connectString, directory: own };
    });
    samsa = new BrokerProcess(options[0]!);
    apache = new BrokerProcess({ ...options[1]!, command: ['java', ...javaArguments('3.9', 'kafka.Kafka')] });
    await samsa.start();
    await apache.start();
  });

  afterAll(async () => {
    await apache?.kill();
    await samsa?.kill();
    await zookeeper?.kill();
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  });

  test('replicates both ways, whichever of them leads and whichever is the controller', async () => {
    const create = ['--create', '--topic', TOPIC, '--replica-assignment', '0:1,1:0'];
    const created = await tool('kafka-topics', ['--bootstrap-server', samsa.address, ...create]);
    expect(created.code, created.stderr).toBe(0);
    await Promise.all([healthy(samsa, samsa), healthy(apache, samsa)]);
    expect(await written('under Samsa\n')).toEqual(['under Samsa\n', 'under Samsa\n']);

    expect(await samsa.stop()).toBe(0);
    await leadsAlone(apache);
    await samsa.start();
    await Promise.all([healthy(samsa, apache), healthy(apache, apache)]);
    const both = 'under Samsa\nunder Apache\n';
    expect(await written('under Apache\n')).toEqual([both, both]);

    await apache.kill();
    await leadsAlone(samsa);
    const all = `${both}alone\n`;
    expect(await written('alone\n')).toEqual([all, all]);
  });
});
