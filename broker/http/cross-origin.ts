import type { IncomingHttpHeaders } from 'node:http';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a request that changes something was made by a page of another origin. A browser sends some of those unasked
 * (a POST of plain text, say) and only hides the answer from the page: any page that somebody looks at could write.
 *
 * Browsers say where a request comes from: in `sec-fetch-site`, or, towards plain addresses in a network, only in
 * `origin`. Programs say neither and are let in.
 * @param isWrite whether the path changes something whatever the method, as a stream does that is a member of a group
 * @param host what the request was sent to, as its `host` or `:authority`
 */
export function isCrossOriginWrite(
  method: string,
  isWrite: boolean,
  headers: IncomingHttpHeaders,
  host: string,
): boolean {
  if (!isWrite && SAFE_METHODS.has(method)) return false;
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin } = headers;
  return origin !== undefined && !(URL.canParse(origin) && new URL(origin).host === host.toLowerCase());
}
