import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createProducer, type Admin } from '../../client/index.ts';
import { openBrowserWorld, type BrowserWorld } from '../support/browser-world.ts';
import { findChromium } from '../support/chromium.ts';
import { waitFor } from '../support/wait.ts';

/** A page in a real browser is a member of a consumer group as long as it is open. */

const program = findChromium();
if (program === null)
  console.warn('No Chromium on this machine: what a browser sees is not tested (see bin/setup --test).');

describe.skipIf(program === null)('a page', () => {
  let world: BrowserWorld;
  let admin: Admin;

  beforeAll(async () => {
    world = await openBrowserWorld(program!);
    admin = createAdmin(world.settings);
  });

  afterAll(async () => {
    admin?.close();
    await world?.close();
  });

  async function write(topic: string, ...values: string[]): Promise<void> {
    const producer = createProducer(world.settings);
    await Promise.all(values.map((value, partition) => producer.send({ topic, partition, value })));
    await producer.close();
  }

  const inPage = (expression: string) => world.browser.evaluate(expression);

  async function members(group: string): Promise<number> {
    const [described] = await admin.describeGroups([group]);
    if (described!.status === 'rejected') throw described!.reason;
    return described!.value.members.length;
  }

  /** A page with a stream of the group, whose events are kept in `told` and whose records in `read`. */
  async function openPage(group: string, topic: string): Promise<void> {
    await world.browser.open(`${world.origin}/docs`);
    await inPage(`
      told = [];
      read = [];
      source = new EventSource('/groups/${group}/stream?topics=${topic}&start=earliest');
      source.addEventListener('assigned', event => told.push(JSON.parse(event.data)));
      source.onmessage = event => read.push(JSON.parse(event.data));
      void 0`);
  }

  const values = async () => ((await inPage('read.map(record => record.value)')) as string[]).sort();

  test('gets its share and its records, and commits them; when it is closed it leaves, and the next one goes on', async () => {
    await admin.createTopics([{ name: 'shared', partitions: 2, replicationFactor: 1 }]);
    await write('shared', 'one', 'two');
    await openPage('pages', 'shared');
    await waitFor('the records', async () => (await values()).length === 2);
    expect(await values()).toEqual(['one', 'two']);
    expect(await inPage('told')).toMatchObject([
      {
        group: 'pages',
        partitions: [
          { topic: 'shared', partition: 0 },
          { topic: 'shared', partition: 1 },
        ],
      },
    ]);
    expect(await members('pages')).toBe(1);

    // The user goes elsewhere.
    await world.browser.open('about:blank');
    await waitFor('the page to have left', async () => (await members('pages')) === 0);
    const [left] = await admin.listGroupOffsets([{ groupId: 'pages', partitions: null }]);
    expect(left).toMatchObject({ value: [{ offset: 1 }, { offset: 1 }] });

    await write('shared', 'three', 'four');
    await openPage('pages', 'shared');
    await waitFor('what was written since', async () => (await values()).length === 2);
    expect(await values()).toEqual(['four', 'three']);
  });

  test('has several streams, which share the partitions; each leaves by itself', async () => {
    await admin.createTopics([{ name: 'parted', partitions: 4, replicationFactor: 1 }]);
    await openPage('tabs', 'parted');
    await waitFor('all partitions', async () => (await inPage('told.at(-1)?.partitions.length')) === 4);
    await inPage(`
      other = [];
      second = new EventSource('/groups/tabs/stream?topics=parted&start=earliest');
      second.addEventListener('assigned', event => other.push(JSON.parse(event.data)));
      void 0`);
    const shares = () => inPage('[told, other].map(events => events.at(-1)?.partitions.length)');
    await waitFor('half of them each', async () => String(await shares()) === '2,2');
    await inPage('second.close()');
    await waitFor('all partitions again', async () => (await inPage('told.at(-1).partitions.length')) === 4);
    expect(await members('tabs')).toBe(1);
    expect(world.browser.console).toEqual([]);
  });
});
