/**
 * The view itself, or a copy when it would keep a buffer of more than twice its size alive: receive buffers are
 * large, and entries stay in memory long after them.
 */
export function ownedView(view: Uint8Array): Uint8Array {
  return view.buffer.byteLength > 2 * view.byteLength ? view.slice() : view
}
