import { DOCS_ROUTES } from './docs-page.ts';
import { HEALTH_ROUTES } from './health.ts';
import { METRICS_ROUTES } from './metrics-page.ts';
import { GROUP_ROUTES } from './rest/groups/routes.ts';
import { SHORT_ROUTES } from './rest/short-routes.ts';
import { V3_ROUTES } from './rest/v3/routes.ts';
import type { RouteDoc } from './route.ts';
import { RPC_DOC, RPC_LIST_ROUTES } from './rpc-routes.ts';

/** Every path of the HTTP side: what the OpenAPI document and docs/HTTP.md are written from. */
export const ALL_ROUTES: readonly RouteDoc[] = [
  ...SHORT_ROUTES,
  ...GROUP_ROUTES,
  ...V3_ROUTES,
  ...RPC_LIST_ROUTES,
  RPC_DOC,
  ...HEALTH_ROUTES,
  ...METRICS_ROUTES,
  ...DOCS_ROUTES,
];
