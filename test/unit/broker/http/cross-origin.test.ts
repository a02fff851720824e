import { afterEach, expect, test } from 'vitest';
import { isCrossOriginWrite } from '../../../../broker/http/cross-origin.ts';
import { stopServers } from '../network/harness.ts';
import { startHttp, stopApps } from './harness.ts';

afterEach(async () => {
  await stopApps();
  await stopServers();
});

test.each([
  ['POST', {}, false],
  ['POST', { 'sec-fetch-site': 'same-origin', origin: 'http://proxy' }, false],
  ['POST', { 'sec-fetch-site': 'none' }, false],
  ['POST', { 'sec-fetch-site': 'cross-site', origin: 'http://h:1' }, true],
  ['POST', { 'sec-fetch-site': 'same-site' }, true],
  ['DELETE', { 'sec-fetch-site': 'cross-site' }, true],
  ['GET', { 'sec-fetch-site': 'cross-site', origin: 'http://evil' }, false],
  ['POST', { origin: 'http://h:1' }, false],
  ['POST', { origin: 'http://h:2' }, true],
  ['POST', { origin: 'http://evil' }, true],
  ['POST', { origin: 'null' }, true],
  ['POST', { origin: '' }, true],
] as const)('%s with %j: %s', (method, headers, refused) => {
  expect(isCrossOriginWrite(method, false, headers, 'H:1')).toBe(refused);
});

test('a GET that changes something is none that any page may send', () => {
  expect(isCrossOriginWrite('GET', true, { origin: 'http://evil' }, 'h:1')).toBe(true);
  expect(isCrossOriginWrite('GET', true, { origin: 'http://h:1' }, 'h:1')).toBe(false);
  expect(isCrossOriginWrite('GET', true, {}, 'h:1')).toBe(false);
});

test('such a request is refused before anything is looked at', async () => {
  const { origin } = await startHttp({ respond: () => undefined });
  const post = async (from: string) => {
    const answer = await fetch(`${origin}/nothing`, { method: 'POST', body: '{}', headers: { origin: from } });
    return [answer.status, ((await answer.json()) as { error_code: number }).error_code];
  };
  expect(await post('http://evil')).toEqual([403, 403]);
  expect(await post(origin)).toEqual([404, 404]);
});
