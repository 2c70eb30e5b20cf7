import type { AppendEntriesResponse, RpcResponse } from '@raftkit/interface'
import { DEFAULT_WIRE_LIMITS } from '../reading/limits.ts'
import { Pack } from '../format/pack.ts'
import { address, idOf, versions } from './request-encoding.ts'

/** The answer as hashicorp/raft sends it: an empty error text and the body. */
export function encodeResponse(response: RpcResponse): Uint8Array {
  const pack = new Pack().text('')
  const { header } = response
  switch (response.type) {
    case 'append-entries':
      return appendEntries(pack, response).take()
    case 'request-vote':
      address(pack, 6, header).key('Granted').bool(response.granted)
      idOf(pack, header).key('Peers').nil()
      return versions(pack, header).key('Term').uint(response.term, 'term').take()
    case 'request-pre-vote':
      address(pack, 5, header).key('Granted').bool(response.granted)
      return versions(idOf(pack, header), header).key('Term').uint(response.term, 'term').take()
    case 'install-snapshot':
      return versions(idOf(address(pack, 5, header), header), header)
        .key('Success')
        .bool(response.success)
        .key('Term')
        .uint(response.term, 'term')
        .take()
    case 'timeout-now':
      return versions(idOf(address(pack, 3, header), header), header).take()
    case 'forward':
      idOf(address(pack, 4, header), header)
        .key('Payload')
        .raw(response.payload)
      return versions(pack, header).take()
  }
}

function appendEntries(pack: Pack, response: AppendEntriesResponse): Pack {
  const { header, conflict } = response
  address(pack, conflict === undefined ? 7 : 9, header)
  if (conflict !== undefined)
    pack
      .key('ConflictIndex')
      .uint(conflict.firstIndex, 'conflict.firstIndex')
      .key('ConflictTerm')
      .uint(conflict.term, 'conflict.term')
  idOf(pack, header)
    .key('LastLog')
    .uint(response.lastLogIndex, 'lastLogIndex')
    .key('NoRetryBackoff')
    .bool(response.noRetryBackoff)
  return versions(pack, header)
    .key('Success')
    .bool(response.success)
    .key('Term')
    .uint(response.term, 'term')
}

/**
 * The answer to a request that failed: the error's text and no body. An empty text would mean success, so it is
 * replaced; one longer than a decoder takes by default is cut.
 */
export function encodeErrorResponse(message: string): Uint8Array {
  const text = message === '' ? 'unknown error' : message
  // A character takes at most three bytes of UTF-8.
  const longest = Math.floor(DEFAULT_WIRE_LIMITS.maxStringBytes / 3)
  return new Pack().text(text.slice(0, longest)).nil().take()
}
