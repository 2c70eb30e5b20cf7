// Servers that take each other for hashicorp/raft, and a record of what they say to each other.
import type {
  AppendPipeline,
  RpcHeader,
  RpcRequest,
  RpcResponse,
  Transport,
} from '@raftkit/interface'

/** Takes what shows that the sender is raftkit off every header, and notes every message. */
export class HashicorpDisguise {
  readonly requests: RpcRequest[] = []
  readonly responses: RpcResponse[] = []

  /** Around the transport of one server. */
  readonly around = (transport: Transport): Transport => ({
    localAddress: transport.localAddress,
    setHandler: (handler) =>
      transport.setHandler(async (request, context) => {
        const response = await handler(request, context)
        this.responses.push(response)
        return { ...response, header: plain(response.header) }
      }),
    call: (peer, request, options) => transport.call(peer, this.#sent(request), options),
    installSnapshot: (peer, request, state, options) =>
      transport.installSnapshot(peer, this.#sent(request), state, options),
    openPipeline: async (peer, options) =>
      this.#pipeline(await transport.openPipeline(peer, options)),
    close: () => transport.close(),
  })

  #pipeline(pipeline: AppendPipeline): AppendPipeline {
    return {
      send: (request) => pipeline.send(this.#sent(request)),
      get writable() {
        return pipeline.writable
      },
      get closed() {
        return pipeline.closed
      },
      close: () => pipeline.close(),
    }
  }

  #sent<T extends RpcRequest>(request: T): T {
    this.requests.push(request)
    return { ...request, header: plain(request.header) }
  }
}

function plain({ protocolVersion, id, address }: RpcHeader): RpcHeader {
  return { protocolVersion, id, address }
}
