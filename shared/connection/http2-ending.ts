/**
 * Ends an HTTP/2 stream or session once Node has left nghttp2.
 *
 * Events, and the promises that they settle, run in the midst of nghttp2's work on a frame. Node sends a RST_STREAM from
 * there at once when something else waits to be sent, nghttp2 then frees the stream, and works on with what it has freed:
 *
 *     OnStreamRead ─▶ nghttp2_session_mem_recv ─▶ 'data' ─▶ destroy() ─▶ nghttp2_session_mem_send ─▶ free(stream)
 *                            └── nghttp2_session_on_data_received(stream) ◀──────────────────────────────┘
 *
 * The process dies of that, now or later (seen with Node 22.23). From an immediate there is nothing of nghttp2 below.
 */
export function endHttp2(end: () => void): void {
  setImmediate(end);
}
