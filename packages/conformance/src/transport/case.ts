// What the parts of the transport suite share: how a case is written, and what handlers are used.

import type { Peer, RpcContext, RpcHandler, RpcRequest, Transport } from '@raftkit/interface'
import { occasion } from '../occasion.ts'
import { answerTo } from './messages.ts'

/** Registers one case; `a` and `b` are open, reach each other and have no handler yet. */
export type TransportCase = (
  title: string,
  body: (a: Transport, b: Transport, more: OpenMore) => Promise<void>,
) => void

/** What else a case may need. */
export interface OpenMore {
  /** One more transport, closed after the test. */
  open(): Promise<Transport>
  /** Breaks every connection between the two, as a network does. */
  breakConnections(a: Transport, b: Transport): Promise<void>
  /** Makes everything that passes between the two come twice from now on. */
  duplicate(a: Transport, b: Transport): Promise<void>
  /** A transport that refuses requests of more bytes, closed after the test. */
  openLimited(maxRequestBytes: number): Promise<Transport>
}

/** Whom to call to reach the transport. */
export function peerOf(transport: Transport): Peer {
  return { id: `server at ${transport.localAddress}`, address: transport.localAddress }
}

/** Where nobody listens: a transport had the address and was closed. */
export async function nobody(more: OpenMore): Promise<Peer> {
  const gone = await more.open()
  const peer = peerOf(gone)
  await gone.close()
  return peer
}

/** What a handler was called with. */
export interface Received {
  readonly request: RpcRequest
  readonly context: RpcContext
}

/** A handler that never answers, and the occasion of its first call. */
export function silentHandler(): { handler: RpcHandler; called: Promise<Received> } {
  const called = occasion<Received>()
  return {
    handler: (request, context) => {
      called.happen({ request, context })
      return new Promise(() => {})
    },
    called: called.promise,
  }
}

/** A handler that answers everything as usual and keeps what it got. */
export function recordingHandler(): { handler: RpcHandler; received: Received[] } {
  const received: Received[] = []
  return {
    handler: (request, context) => {
      received.push({ request, context })
      return answerTo(request)
    },
    received,
  }
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
