/** RPC over HTTP/2: what both ends must agree on. */

/** `POST <RPC_PATH><ApiName>?version=<n>` */
export const RPC_PATH = '/v1/rpc/';
/** A Kafka-encoded request or response body, without size and header. */
export const RPC_CONTENT_TYPE = 'application/vnd.kafka.rpc';
/** Carries the client id. */
export const CLIENT_ID_HEADER = 'x-client-id';
