import { describe, expect, test } from 'vitest';
import { api } from '../../../../shared/protocol/api.ts';
import { ProtocolError } from '../../../../shared/protocol/errors.ts';
import {
  decodeRequestHeader,
  decodeResponseHeader,
  encodeRequestFrame,
  encodeResponseFrame,
} from '../../../../shared/protocol/headers.ts';
import { ApiVersions } from '../../../../shared/protocol/messages/api-versions.ts';
import { ControlledShutdown } from '../../../../shared/protocol/messages/controlled-shutdown.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { int32, string } from '../../../../shared/protocol/schema.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/[\s|]/g, ''), 'hex');
const joined = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString('hex');

describe('frames known byte for byte', () => {
  test('ApiVersions v3 request', () => {
    const frame = hex('00 00 00 11 | 00 12 00 03 00 00 00 07 00 01 63 00 | 02 6e 02 31 00');
    const body = { clientSoftwareName: 'n', clientSoftwareVersion: '1' };
    expect(joined(encodeRequestFrame(ApiVersions, 3, 7, 'c', body))).toBe(frame.toString('hex'));
    const header = decodeRequestHeader(frame.subarray(4));
    expect(header).toEqual({ apiKey: 18, apiVersion: 3, correlationId: 7, clientId: 'c', bodyOffset: 12 });
    expect(ApiVersions.request.decode(frame.subarray(4), 3, header.bodyOffset)).toEqual(body);
  });

  test('ApiVersions v3 response: its header never has tagged fields', () => {
    const frame = hex('00 00 00 13 | 00 00 00 07 | 00 00 | 02 00 00 00 00 00 0b 00 | 00 00 00 00 | 00');
    const body = { errorCode: 0, apiKeys: [{ apiKey: 0, minVersion: 0, maxVersion: 11 }], throttleTimeMs: 0 };
    const encoded = ApiVersions.response.encode(body, 3);
    expect(joined(encodeResponseFrame(ApiVersions, 3, 7, encoded))).toBe(frame.toString('hex'));
    expect(decodeResponseHeader(ApiVersions, 3, frame.subarray(4))).toEqual({ correlationId: 7, bodyOffset: 4 });
    expect(ApiVersions.response.decode(frame, 3, 8)).toMatchObject(body);
  });

  test('an ApiVersions that is too new is answered in version 0', () => {
    const frame = hex('00 00 00 10 | 00 00 00 07 | 00 23 | 00 00 00 01 | 00 12 00 00 00 04');
    const body = { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] };
    const encoded = ApiVersions.response.encode(body, 0);
    expect(joined(encodeResponseFrame(ApiVersions, 99, 7, encoded))).toBe(frame.toString('hex'));
  });

  const Heartbeat = api({
    key: 12,
    name: 'Heartbeat',
    versions: [0, 4],
    flexibleSince: 4,
    request: {
      groupId: string(),
      generationId: int32(),
      memberId: string(),
      groupInstanceId: string({ since: 3, nullable: 3, default: null }),
    },
    response: {},
  });

  test.each([
    [3, '00 00 00 17 | 00 0c 00 03 00 00 00 09 00 01 63 | 00 01 67 00 00 00 05 00 01 6d ff ff', 11],
    [4, '00 00 00 16 | 00 0c 00 04 00 00 00 09 00 01 63 00 | 02 67 00 00 00 05 02 6d 00 00', 12],
  ])('Heartbeat v%i, before and after it became flexible', (version, text, bodyOffset) => {
    const body = { groupId: 'g', generationId: 5, memberId: 'm', groupInstanceId: null };
    const frame = hex(text);
    expect(joined(encodeRequestFrame(Heartbeat, version, 9, 'c', body))).toBe(frame.toString('hex'));
    const header = decodeRequestHeader(frame.subarray(4));
    expect(header).toEqual({ apiKey: 12, apiVersion: version, correlationId: 9, clientId: 'c', bodyOffset });
    expect(Heartbeat.request.decode(frame.subarray(4), version, bodyOffset)).toEqual(body);
  });
});

describe('request headers', () => {
  test('the one of ControlledShutdown v0 has no client id, from v1 on it has', () => {
    for (const version of [0, 1, 2, 3]) {
      const frame = Buffer.concat(encodeRequestFrame(ControlledShutdown, version, 5, 'me', { brokerId: 3 }));
      const header = decodeRequestHeader(frame.subarray(4));
      expect(header).toMatchObject({ apiKey: 7, correlationId: 5, clientId: version === 0 ? null : 'me' });
      expect(ControlledShutdown.request.decode(frame.subarray(4), version, header.bodyOffset).brokerId).toBe(3);
    }
  });

  test('no client id stays no client id', () => {
    const frame = Buffer.concat(encodeRequestFrame(Metadata, 9, 1, null, { topics: null }));
    expect(decodeRequestHeader(frame.subarray(4)).clientId).toBe(null);
  });

  test('unknown tagged fields are skipped', () => {
    const frame = hex('00 12 00 03 00 00 00 07 00 01 63 | 02 05 02 aa bb 90 01 00 | 02 6e 02 31 00');
    expect(decodeRequestHeader(frame).bodyOffset).toBe(19);
  });

  test('an API or a version that nobody knows still has a readable header', () => {
    const unknown = hex('03 e8 7f ff 00 00 00 07 00 01 63');
    expect(decodeRequestHeader(unknown)).toMatchObject({ apiKey: 1000, apiVersion: 32767, correlationId: 7 });
  });

  test('one that ends early is a ProtocolError, wherever it is cut', () => {
    const header = hex('00 12 00 03 00 00 00 07 00 01 63 01 05 02 aa bb');
    for (let length = 0; length < header.length; length++) {
      expect(() => decodeRequestHeader(header.subarray(0, length)), `${length} bytes`).toThrow(ProtocolError);
    }
  });
});

test('a response header has tagged fields from the first flexible version on', () => {
  const body = (version: number) => Metadata.response.encode({ brokers: [], topics: [] }, version);
  for (const [version, bodyOffset] of [
    [8, 4],
    [9, 5],
  ] as const) {
    const frame = Buffer.concat(encodeResponseFrame(Metadata, version, -1, body(version)));
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    expect(decodeResponseHeader(Metadata, version, frame.subarray(4))).toEqual({ correlationId: -1, bodyOffset });
    expect(Metadata.response.decode(frame.subarray(4), version, bodyOffset).topics).toEqual([]);
  }
});
