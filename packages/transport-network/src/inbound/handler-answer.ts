import {
  messageOf,
  type Logger,
  type RpcContext,
  type RpcHandler,
  type RpcRequest,
  type RpcResponse,
} from '@raftkit/interface'
import { encodeErrorResponse, encodeResponse } from '@raftkit/wire'

/**
 * The encoded answer of the handler, at once when the handler answers at once. Whatever goes wrong in it becomes
 * an error text for the caller: this neither throws nor rejects.
 */
export function answerOf(
  handle: RpcHandler,
  request: RpcRequest,
  context: RpcContext,
  logger: Logger,
): Uint8Array | Promise<Uint8Array> {
  const refuse = (error: unknown): Uint8Array => {
    if (!context.signal.aborted)
      logger.debug({ remote: context.remote, type: request.type, err: error }, 'a request failed')
    return encodeErrorResponse(messageOf(error))
  }
  try {
    const response = handle(request, context)
    if (!(response instanceof Promise)) return encodeFor(request, response)
    return response.then((settled) => encodeFor(request, settled)).catch(refuse)
  } catch (error) {
    return refuse(error)
  }
}

function encodeFor(request: RpcRequest, response: RpcResponse): Uint8Array {
  if (response.type !== request.type)
    throw new TypeError(`the handler answered ${request.type} with ${response.type}`)
  return encodeResponse(response)
}
