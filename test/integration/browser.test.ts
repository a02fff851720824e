import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createProducer } from '../../client/index.ts';
import type { BrokerProcess } from '../support/broker-process.ts';
import { openBrowserWorld, type BrowserWorld } from '../support/browser-world.ts';
import { Chromium, findChromium } from '../support/chromium.ts';
import { waitFor } from '../support/wait.ts';

/** A page in a real browser, which speaks HTTP/2 over TLS with ALPN, reads records as they are written. */

const program = findChromium();
if (program === null)
  console.warn('No Chromium on this machine: what a browser sees is not tested (see bin/setup --test).');

describe.skipIf(program === null)('a browser', () => {
  let world: BrowserWorld;
  let broker: BrokerProcess;
  let browser: Chromium;
  let origin: string;

  beforeAll(async () => {
    world = await openBrowserWorld(program!);
    ({ broker, browser, origin } = world);
    const admin = createAdmin(world.settings);
    await admin.createTopics([{ name: 'seen', partitions: 1, replicationFactor: 1 }]);
    admin.close();
  });

  afterAll(() => world?.close());

  async function write(...values: string[]): Promise<void> {
    const producer = createProducer(world.settings);
    await Promise.all(values.map(value => producer.send({ topic: 'seen', value })));
    await producer.close();
  }

  const ids = () => browser.evaluate('events.map(event => event.lastEventId)') as Promise<string[]>;

  test('checks the certificate as usual', async () => {
    const strict = await Chromium.start(program!);
    try {
      await expect(strict.open(`${origin}/docs`)).rejects.toThrow('CERT_AUTHORITY_INVALID');
    } finally {
      await strict.close();
    }
  });

  test('reads server-sent events over HTTP/2, side by side, and goes on where it was cut off', async () => {
    await browser.open(`${origin}/docs`);
    const h2 = 'performance.getEntriesByType("navigation")[0].nextHopProtocol';
    expect(await browser.evaluate(h2)).toBe('h2');
    await write('one', 'two');
    // More streams than the six connections that a browser opens to one host over HTTP/1.1.
    await browser.evaluate(`
      events = [];
      sources = Array.from({ length: 10 }, (_, n) => {
        const source = new EventSource('/topics/seen/partitions/0/records?offset=0');
        if (n === 9) source.onmessage = event => events.push(event);
        return source;
      });
      void 0`);
    await waitFor('what was there', async () => (await ids()).length === 2);
    await write('three');
    await waitFor('what came later', async () => (await ids()).length === 3);
    expect(await ids()).toEqual(['0:0', '0:1', '0:2']);
    const values = await browser.evaluate('events.map(event => JSON.parse(event.data).value)');
    expect(values).toEqual(['one', 'two', 'three']);
    await waitFor(
      'all to be open',
      async () => (await browser.evaluate('sources.every(s => s.readyState === 1)')) === true,
    );

    // The broker goes and comes back: the browser reconnects by itself and names the last event that it saw.
    await broker.kill();
    await waitFor('the browser to see it', async () => (await browser.evaluate('sources[9].readyState')) === 0);
    await broker.start();
    await write('four');
    await waitFor('what was written since', async () => (await ids()).length >= 4);
    expect(await ids()).toEqual(['0:0', '0:1', '0:2', '0:3']);
    await browser.evaluate('sources.forEach(source => source.close())');
  });

  test('is not used by pages of other origins to write', async () => {
    const elsewhere = createServer((_request, response) => response.end('another site'));
    await new Promise<void>(resolve => elsewhere.listen(0, '127.0.0.1', resolve));
    await browser.open(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
    await waitFor('the page', async () => (await browser.evaluate('document.body.textContent')) === 'another site');
    const url = `${origin}/topics/seen/records`;
    const posted = (type: string) =>
      browser.evaluate(`fetch('${url}', {
        method: 'POST', mode: 'no-cors', body: new Blob(['{"value":"by stealth"}'], { type: '${type}' }),
      }).then(answer => answer.type)`);
    // The browser sends them and shows the page nothing of the answer.
    expect(await posted('text/plain')).toBe('opaque');
    expect(await posted('')).toBe('opaque');
    elsewhere.close();
    await write('behind them');
    await browser.open(`${origin}/docs`);
    const read = `fetch('/topics/seen/partitions/0/records').then(answer => answer.text())`;
    await waitFor('what was written after them', async () =>
      String(await browser.evaluate(read)).includes('behind them'),
    );
    expect(await browser.evaluate(read)).not.toContain('by stealth');
  });

  test('shows the page of all paths, which sends requests', async () => {
    await browser.open(`${origin}/docs`);
    const inPage = (expression: string) => browser.evaluate(expression);
    await waitFor(
      'the paths',
      async () => ((await inPage('document.querySelectorAll("details").length')) as number) > 35,
    );
    await inPage(`
      card = document.getElementById('readRecords');
      card.open = true;
      void 0`);
    await waitFor('its form', async () => (await inPage('card.querySelector("form") !== null')) === true);
    await inPage(`
      field = name => card.querySelector('[name="' + name + '"]');
      field('topic').value = 'seen';
      field('partition').value = '0';
      field('limit').value = '2';
      card.querySelector('.send').click()`);
    const output = async () => (await inPage('card.querySelector(".output").textContent')) as string;
    await waitFor('the answer', async () => (await output()).includes('next_offset'));
    expect(JSON.parse(await output())).toMatchObject({ records: [{ value: 'one' }, { value: 'two' }], next_offset: 2 });
    expect(await inPage('card.querySelector(".status").textContent')).toMatch(/^200 application\/json/);

    await inPage(`field('accept').value = 'text/event-stream'; card.querySelector('.send').click()`);
    await waitFor('the first events', async () => (await output()).includes('id: 0:1'));
    await write('while the page reads');
    await waitFor('the event', async () => (await output()).includes('while the page reads'));
    await inPage(`card.querySelector('.stop').click()`);
    await waitFor('the end', async () => (await inPage('card.querySelector(".stop").disabled')) === true);

    await inPage(`
      card = document.getElementById('createKafkaTopic');
      card.open = true;
      void 0`);
    await waitFor('its form', async () => (await inPage('card.querySelector("form") !== null')) === true);
    expect(await inPage('field("cluster_id").value')).toBe('-');
    await inPage(`card.querySelector('.send').click()`);
    await waitFor('the topic', async () => (await output()).includes('KafkaTopic'));
    expect(browser.console).toEqual([]);
  });
});
