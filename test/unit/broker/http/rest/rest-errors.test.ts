import { expect, test } from 'vitest';
import { restError } from '../../../../../broker/http/rest/rest-errors.ts';
import { RecordsError } from '../../../../../shared/records/errors.ts';

test('records that no client can read are no bug of the door that reads them', () => {
  const told = restError(new RecordsError('INVALID', 'The record batch is malformed: a varint has more than 5 bytes.'));
  expect(told).toEqual({
    status: 500,
    body: {
      error_code: 50002,
      message:
        'The records that are stored here cannot be read. The record batch is malformed: a varint has more than 5 bytes.',
    },
  });
});

test('what nobody foresaw is one', () => {
  expect(restError(new TypeError('x is undefined'))).toBeNull();
});
