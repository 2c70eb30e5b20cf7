// Deep copies of messages, as encoding and decoding would make them: no two servers share state. And their sizes.

import { EntryBatch } from '@raftkit/interface'
import type { RpcHeader, RpcRequest, RpcResponse } from '@raftkit/interface'

/** What a message without payload counts as, bytes. */
const BARE_MESSAGE_BYTES = 64

/** A copy that shares nothing with the original. */
export function copyRequest<T extends RpcRequest>(request: T): T
export function copyRequest(request: RpcRequest): RpcRequest {
  const header = copyHeader(request.header)
  switch (request.type) {
    case 'append-entries':
      return { ...request, header, entries: request.entries?.map(copyBatch) ?? null }
    case 'install-snapshot':
      return {
        ...request,
        header,
        peers: request.peers.slice(),
        configuration: request.configuration.slice(),
      }
    case 'forward':
      return { ...request, header, payload: request.payload.slice() }
    case 'request-vote':
    case 'request-pre-vote':
    case 'timeout-now':
      return { ...request, header }
  }
}

/** A copy that shares nothing with the original. */
export function copyResponse(response: RpcResponse): RpcResponse {
  const header = copyHeader(response.header)
  switch (response.type) {
    case 'append-entries':
      return response.conflict
        ? { ...response, header, conflict: { ...response.conflict } }
        : { ...response, header }
    case 'forward':
      return { ...response, header, payload: response.payload.slice() }
    case 'install-snapshot':
    case 'request-vote':
    case 'request-pre-vote':
    case 'timeout-now':
      return { ...response, header }
  }
}

/** About how many bytes the message would take on a wire; what slow links and buffers count. */
export function sizeOf(message: RpcRequest | RpcResponse): number {
  let size = BARE_MESSAGE_BYTES
  if ('entries' in message) for (const batch of message.entries ?? []) size += batch.byteLength
  if ('payload' in message) size += message.payload.length
  if ('configuration' in message) size += message.configuration.length + message.peers.length
  return size
}

function copyHeader(header: RpcHeader): RpcHeader {
  return { ...header }
}

function copyBatch(batch: EntryBatch): EntryBatch {
  const start = batch.offsets[0]!
  return new EntryBatch(
    batch.firstIndex,
    batch.view.slice(),
    batch.offsets.map((offset) => offset - start),
    batch.terms.slice(),
    batch.types.slice(),
  )
}
