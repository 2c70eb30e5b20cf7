import { messageOf } from '@raftkit/interface'
import type { RpcContext, RpcHandler, RpcRequest, RpcResponse } from '@raftkit/interface'
import { copyResponse } from './message-copy.ts'

/** What a handler made of a request. */
export type Answer = { readonly response: RpcResponse } | { readonly error: string }

/** What a handler gets beside the request. The signal is made only when it is asked for. */
export class ServedContext implements RpcContext {
  readonly remote: string
  readonly snapshot?: AsyncIterable<Uint8Array>
  #controller: AbortController | undefined
  #gone = false

  constructor(remote: string, snapshot?: AsyncIterable<Uint8Array>) {
    this.remote = remote
    if (snapshot) this.snapshot = snapshot
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#gone) this.#controller.abort()
    return this.#controller.signal
  }

  /** Nobody waits for the answer any more. */
  abort(): void {
    this.#gone = true
    this.#controller?.abort()
  }
}

/** What the handler, called now, makes of the request; never rejects. */
export async function answerOf(
  handler: RpcHandler | undefined,
  request: RpcRequest,
  context: RpcContext,
): Promise<Answer> {
  if (!handler) return { error: 'this server takes no requests yet' }
  try {
    const response = await handler(request, context)
    if (response.type === request.type) return { response: copyResponse(response) }
    return { error: `the handler answered ${request.type} with ${response.type}` }
  } catch (error) {
    return { error: messageOf(error) }
  }
}
