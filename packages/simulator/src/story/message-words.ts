import type { RpcRequest, RpcResponse } from '@raftkit/interface'
import type { Fact } from './trace.ts'

/** A request in words. */
export function requestFacts(request: RpcRequest): readonly Fact[] {
  switch (request.type) {
    case 'append-entries': {
      const { entries, term, prevLogIndex, prevLogTerm, leaderCommit } = request
      if (entries === null) return ['heartbeat', 'in term', term]
      const first = entries[0]
      const what =
        first === undefined
          ? ['no entries']
          : ['entries', first.firstIndex, 'to', entries.at(-1)!.lastIndex]
      return [
        ...what,
        'in term',
        term,
        'after',
        prevLogIndex,
        'of term',
        prevLogTerm,
        'commit',
        leaderCommit,
      ]
    }
    case 'request-vote':
    case 'request-pre-vote':
      return [
        request.type,
        'in term',
        request.term,
        'last',
        request.lastLogIndex,
        'of term',
        request.lastLogTerm,
      ]
    case 'install-snapshot':
      return [
        'snapshot of',
        request.lastLogIndex,
        'of term',
        request.lastLogTerm,
        'in term',
        request.term,
      ]
    default:
      return [request.type]
  }
}

/** An answer in words. */
export function responseFacts(response: RpcResponse): readonly Fact[] {
  switch (response.type) {
    case 'append-entries':
      return [
        response.success ? 'accepted' : 'refused',
        'in term',
        response.term,
        'last',
        response.lastLogIndex,
      ]
    case 'request-vote':
    case 'request-pre-vote':
      return [response.type, response.granted ? 'granted' : 'refused', 'in term', response.term]
    case 'install-snapshot':
      return ['snapshot', response.success ? 'installed' : 'refused', 'in term', response.term]
    default:
      return [response.type]
  }
}
