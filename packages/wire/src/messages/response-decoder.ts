import type { AppendEntriesResponse, RpcHeader, RpcResponse, RpcType } from '@raftkit/interface'
import type { WireLimits } from '../reading/limits.ts'
import { readMessage, RESPONSE_SHAPES } from './message-fields.ts'
import type { MessageFields } from './message-fields.ts'
import { ownedView } from '../reading/owned-view.ts'
import { headerOf } from './request-decoder.ts'
import { Unpack } from '../reading/unpack.ts'
import { ValueStream } from '../reading/value-stream.ts'

const EMPTY = new Uint8Array(0)

/** An answer: what the other end says, or the text of the error that it met. */
export type DecodedResponse = { readonly response: RpcResponse } | { readonly error: string }

/**
 * Takes the answers on one connection out of its bytes, however they are split; the caller knows by the order
 * which request each belongs to. Errors are those of the request decoder.
 */
export class ResponseDecoder {
  readonly #stream: ValueStream
  /** The error text of the answer whose body is being received. */
  #error: string | undefined

  constructor(limits?: Partial<WireLimits>) {
    this.#stream = new ValueStream(limits)
  }

  /** Adds received bytes. They are not copied: the chunk must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    this.#stream.push(chunk)
  }

  /** No byte of a further answer is there. */
  get isEmpty(): boolean {
    return this.#error === undefined && this.#stream.isEmpty
  }

  /** The next answer, when it is there whole, as one to a request of `type`. */
  next(type: RpcType): DecodedResponse | undefined {
    return this.#stream.run(() => {
      const { limits } = this.#stream
      if (this.#error === undefined) {
        const text = this.#stream.takeValue('maxControlBytes')
        if (text === undefined) return undefined
        this.#error = new Unpack(text, limits).prose('the error text')
      }
      const body = this.#stream.takeValue(
        type === 'forward' ? 'maxMessageBytes' : 'maxControlBytes',
      )
      if (body === undefined) return undefined
      const error = this.#error
      this.#error = undefined
      const fields = readMessage(new Unpack(body, limits), RESPONSE_SHAPES[type])
      return error === '' ? { response: responseOf(type, fields) } : { error }
    })
  }
}

function responseOf(type: RpcType, fields: MessageFields): RpcResponse {
  const { term, granted, success } = fields
  const header = headerOf(fields)
  switch (type) {
    case 'append-entries':
      return appendEntriesOf(header, fields)
    case 'request-vote':
      return { type, header, term, granted }
    case 'request-pre-vote':
      return { type, header, term, granted }
    case 'install-snapshot':
      return { type, header, term, success }
    case 'timeout-now':
      return { type, header }
    case 'forward':
      return { type, header, payload: ownedView(fields.payload ?? EMPTY) }
  }
}

function appendEntriesOf(header: RpcHeader, fields: MessageFields): AppendEntriesResponse {
  const { term, lastLogIndex, success, noRetryBackoff, conflictTerm, conflictIndex } = fields
  return {
    type: 'append-entries',
    header,
    term,
    lastLogIndex,
    success,
    noRetryBackoff,
    ...(conflictTerm === undefined || conflictIndex === undefined
      ? {}
      : { conflict: { term: conflictTerm, firstIndex: conflictIndex } }),
  }
}
