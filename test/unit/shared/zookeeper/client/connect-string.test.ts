import { describe, expect, it } from 'vitest';
import { formatServer, parseConnectString } from '../../../../../shared/zookeeper/client/connect-string.ts';

describe('a connect string', () => {
  it.each([
    ['localhost', ['localhost:2181'], ''],
    ['a:1,b:2', ['a:1', 'b:2'], ''],
    [' a:1 , b ,', ['a:1', 'b:2181'], ''],
    ['a:1,b:2/kafka', ['a:1', 'b:2'], '/kafka'],
    ['a:1/', ['a:1'], ''],
    ['a/kafka/one/', ['a:2181'], '/kafka/one'],
    ['[::1]:2182,[fe80::1%eth0]', ['[::1]:2182', '[fe80::1%eth0]:2181'], ''],
  ])('%j', (text, servers, chroot) => {
    const parsed = parseConnectString(text);
    expect(parsed.servers.map(formatServer)).toEqual(servers);
    expect(parsed.chroot).toBe(chroot);
  });

  it.each([
    ['', 'it names no server'],
    ['/kafka', 'it names no server'],
    ['a:0', '"a:0" is not host:port'],
    ['a:70000', '"a:70000" is not host:port'],
    ['a:x', '"a:x" is not host:port'],
    ['::1', '"::1" is not host:port'],
    ['a//b', 'chroot "//b" is not a path'],
  ])('%j is refused', (text, problem) => {
    expect(() => parseConnectString(text)).toThrow(`invalid ZooKeeper connect string "${text}": ${problem}`);
  });
});
