import { api } from '../api.ts';
import { array, bool, int16, int32, int8, string } from '../schema.ts';

/** Changes single settings and leaves the others alone (KIP-339). */
export const IncrementalAlterConfigs = api({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexibleSince: 1,
  request: {
    resources: array({
      resourceType: int8(),
      resourceName: string(),
      configs: array({ name: string(), configOperation: int8(), value: string({ nullable: 0 }) }),
    }),
    validateOnly: bool(),
  },
  response: {
    throttleTimeMs: int32(),
    responses: array({
      errorCode: int16(),
      errorMessage: string({ nullable: 0 }),
      resourceType: int8(),
      resourceName: string(),
    }),
  },
});
