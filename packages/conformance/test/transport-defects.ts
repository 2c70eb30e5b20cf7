// Ways in which a transport can be wrong; each is a few methods that replace those of a sound one.
import { RaftError } from '@raftkit/interface'
import type { AppendPipeline, RpcHandler, RpcRequest, RpcResponse } from '@raftkit/interface'
import { expect } from 'vitest'
import { withMethods } from './collecting-runner.ts'
import { DirectPipeline, sizeOf } from './reference/direct-transport.ts'
import type { DirectTransport } from './reference/direct-transport.ts'

/** What a broken transport does instead. */
export type Defect = (transport: DirectTransport) => Partial<DirectTransport>

/** A defect in what the handler of a transport is given, or what it answers. */
export function inHandler(change: (handler: RpcHandler) => RpcHandler): Defect {
  return (transport) => ({ setHandler: (handler) => transport.setHandler(change(handler)) })
}

export function inRequests(change: (request: RpcRequest) => RpcRequest): Defect {
  return inHandler((handler) => (request, context) => handler(change(request), context))
}

export function inResponses(change: (response: RpcResponse) => RpcResponse): Defect {
  return inHandler((handler) => async (request, context) => change(await handler(request, context)))
}

/** A defect in the pipelines. */
export function inPipelines(change: (pipeline: DirectPipeline) => Partial<AppendPipeline>): Defect {
  return (transport) => ({
    openPipeline: async (peer, options) => {
      const pipeline = await transport.openPipeline(peer, options)
      return pipeline instanceof DirectPipeline
        ? withMethods<AppendPipeline>(pipeline, change(pipeline))
        : pipeline
    },
  })
}

export function withoutLastBatch(request: RpcRequest): RpcRequest {
  if (request.type !== 'append-entries') return request
  return { ...request, entries: request.entries?.slice(0, -1) ?? null }
}

export function nullEntries(request: RpcRequest): RpcRequest {
  if (request.type !== 'append-entries') return request
  return { ...request, entries: request.entries?.length === 0 ? null : request.entries }
}

export function emptyEntries(request: RpcRequest): RpcRequest {
  return request.type === 'append-entries'
    ? { ...request, entries: request.entries ?? [] }
    : request
}

export function withoutHeader(request: RpcRequest): RpcRequest {
  return { ...request, header: { protocolVersion: 3, id: '', address: '' } }
}

export function withoutConflict(response: RpcResponse): RpcResponse {
  if (response.type !== 'append-entries') return response
  const { conflict: _, ...rest } = response
  return rest
}

export function in32Bits(request: RpcRequest): RpcRequest {
  return 'term' in request ? { ...request, term: request.term >>> 0 } : request
}

export function twice(handler: RpcHandler): RpcHandler {
  return (request, context) => {
    void handler(request, context)
    return handler(request, context)
  }
}

export function hiddenErrors(transport: DirectTransport): Partial<DirectTransport> {
  return {
    call: async (...args: Parameters<DirectTransport['call']>) => {
      try {
        return await transport.call(...args)
      } catch (error) {
        if (!RaftError.is(error, 'RAFT_REMOTE_ERROR')) throw error
        throw new RaftError('RAFT_REMOTE_ERROR', 'something went wrong')
      }
    },
  } as Partial<DirectTransport>
}

export function waitsForHandler(transport: DirectTransport): Partial<DirectTransport> {
  transport.handler = () => new Promise(() => {})
  return {}
}

export function patient(transport: DirectTransport): Partial<DirectTransport> {
  const exchange = transport.exchange.bind(transport)
  transport.exchange = (peer, request, options, snapshot) =>
    exchange(peer, request, { ...options, timeoutMs: 100_000 }, snapshot)
  return {}
}

export function deaf(transport: DirectTransport): Partial<DirectTransport> {
  const exchange = transport.exchange.bind(transport)
  transport.exchange = async (peer, request, options, snapshot) => {
    const { signal, ...others } = options
    const response = await exchange(peer, request, others, snapshot)
    signal?.throwIfAborted()
    return response
  }
  return {}
}

export function oneAtATime(): Defect {
  return (transport) => {
    const exchange = transport.exchange.bind(transport)
    let before: Promise<unknown> = Promise.resolve()
    transport.exchange = async (...args) => {
      const earlier = before
      const mine = earlier.then(() => exchange(...args))
      before = mine.catch(() => {})
      return mine
    }
    return {}
  }
}

export function withoutSignal(handler: RpcHandler): RpcHandler {
  const { signal } = new AbortController()
  return (request, context) => handler(request, { ...context, signal })
}

export function serially(): (handler: RpcHandler) => RpcHandler {
  let before: Promise<unknown> = Promise.resolve()
  return (handler) => (request, context) => {
    const mine = before.then(() => handler(request, context))
    before = mine.catch(() => {})
    return mine
  }
}

export function unordered(pipeline: DirectPipeline): Partial<AppendPipeline> {
  const { transport, peer } = pipeline
  return { send: (request) => transport.call<'append-entries'>(peer, request) }
}

export function alwaysWritable(): Partial<AppendPipeline> {
  return { writable: true }
}

export function fragile(pipeline: DirectPipeline): Partial<AppendPipeline> {
  return {
    send: async (request) => {
      try {
        return await pipeline.send(request)
      } catch (error) {
        pipeline.close()
        throw error
      }
    },
  }
}

export function immortal(pipeline: DirectPipeline): Partial<AppendPipeline> {
  const { transport, peer } = pipeline
  return {
    send: (request) => (pipeline.closed ? transport.call(peer, request) : pipeline.send(request)),
  }
}

export function optimistic(transport: DirectTransport): Partial<DirectTransport> {
  return { openPipeline: async (peer) => new DirectPipeline(transport, peer) }
}

/** A snapshot that is pulled in whole before it is sent. */
export function greedy(transport: DirectTransport): Partial<DirectTransport> {
  return {
    installSnapshot: async (peer, request, state, options) => {
      const chunks: Uint8Array[] = []
      for await (const chunk of state) chunks.push(chunk)
      return transport.installSnapshot(peer, request, given(chunks), options)
    },
  }
}

export function cutting(transport: DirectTransport): Partial<DirectTransport> {
  return {
    installSnapshot: (peer, request, state, options) =>
      transport
        .installSnapshot(peer, { ...request, size: 0 }, given([]), options)
        .then((answer) => {
          void state[Symbol.asyncIterator]().return?.()
          return answer
        }),
  }
}

export function lenient(transport: DirectTransport): Partial<DirectTransport> {
  const handlerOf =
    (handler: RpcHandler): RpcHandler =>
    async (request, context) => {
      if (!context.snapshot) return handler(request, context)
      return handler(request, { ...context, snapshot: untilFailure(context.snapshot) })
    }
  return { setHandler: (handler) => transport.setHandler(handlerOf(handler)) }
}

export function clinging(transport: DirectTransport): Partial<DirectTransport> {
  return {
    installSnapshot: (peer, request, state, options) => {
      const source = state[Symbol.asyncIterator]()
      const held = { [Symbol.asyncIterator]: () => ({ next: () => source.next() }) }
      return transport.installSnapshot(peer, request, held, options)
    },
  }
}

export function unstoppable(transport: DirectTransport): Partial<DirectTransport> {
  return {
    installSnapshot: (peer, request, state) => transport.installSnapshot(peer, request, state),
  }
}

export function forgetful(transport: DirectTransport): Partial<DirectTransport> {
  return { close: async () => void transport.hub.delete(transport.localAddress) }
}

export function undead(transport: DirectTransport): Partial<DirectTransport> {
  return {
    close: async () => {
      for (const pipeline of transport.pipelines) pipeline.close()
    },
  }
}

async function* given(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void, undefined> {
  yield* chunks
}

async function* untilFailure(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* chunks
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
  }
}

/** Answers go to whoever called last. */
export function mixedUp(): Defect {
  return (transport) => {
    const exchange = transport.exchange.bind(transport)
    let latest: Promise<RpcResponse> | undefined
    transport.exchange = async (...args) => {
      latest = exchange(...args)
      await latest
      return latest
    }
    return {}
  }
}

export function withoutDoubles(transport: DirectTransport): Partial<DirectTransport> {
  Object.defineProperty(transport, 'doubles', { get: () => false, set: () => {} })
  return {}
}

export function boundless(transport: DirectTransport): Partial<DirectTransport> {
  transport.maxRequestBytes = Infinity
  return {}
}

export function diesOfLarge(transport: DirectTransport): Partial<DirectTransport> {
  const { maxRequestBytes } = transport
  transport.maxRequestBytes = Infinity
  return {
    setHandler: (handler) =>
      transport.setHandler((request, context) => {
        if (sizeOf(request) + 300 > maxRequestBytes) void transport.close()
        return handler(request, context)
      }),
  }
}

export function countsSnapshots(transport: DirectTransport): Partial<DirectTransport> {
  return {
    setHandler: (handler) =>
      transport.setHandler((request, context) => {
        if (request.type === 'install-snapshot' && request.size > transport.maxRequestBytes)
          throw new Error('the snapshot is too large')
        return handler(request, context)
      }),
  }
}

export function holdsToSignal(transport: DirectTransport): Partial<DirectTransport> {
  return {
    openPipeline: async (peer, options) => {
      const pipeline = await transport.openPipeline(peer, options)
      options?.signal?.addEventListener('abort', () => pipeline.close())
      return pipeline
    },
  }
}
