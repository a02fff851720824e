import type { ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ApiVersions } from '../../shared/protocol/messages/api-versions.ts';
import type { ApiHandler } from '../request/handler.ts';

type Response = ResponseInput<typeof ApiVersions>;

/** Software names and versions that a client may report (KIP-511). */
const SOFTWARE = /^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/;

/** Advertises exactly what the registry holds: clients use whatever is advertised. */
export function apiVersionsHandler(handlers: () => readonly ApiHandler[]): ApiHandler<typeof ApiVersions> {
  return {
    api: ApiVersions,
    versions: ApiVersions.versions,
    handle(request, context): Response {
      const { clientSoftwareName, clientSoftwareVersion } = request;
      if (context.apiVersion >= 3 && !(SOFTWARE.test(clientSoftwareName) && SOFTWARE.test(clientSoftwareVersion))) {
        return { errorCode: ErrorCode.INVALID_REQUEST, apiKeys: [], throttleTimeMs: 0 };
      }
      const apiKeys = handlers().map(({ api, versions }) => ({
        apiKey: api.key,
        minVersion: versions.min,
        maxVersion: versions.max,
      }));
      return { errorCode: ErrorCode.NONE, apiKeys, throttleTimeMs: 0 };
    },
  };
}

/** The answer, in version 0, to an ApiVersions request newer than this broker: which versions of it would be understood. */
export function unsupportedVersion(versions: { min: number; max: number }): Response {
  return {
    errorCode: ErrorCode.UNSUPPORTED_VERSION,
    apiKeys: [{ apiKey: ApiVersions.key, minVersion: versions.min, maxVersion: versions.max }],
    throttleTimeMs: 0,
  };
}
