// What leaves the server. Every message waits for the term and vote in force when it was made: nothing leaves that
// a crash could take back.
import type { Index, Server, Term } from '@raftkit/interface/protocol'
import { durablePoint } from './hard-state.ts'
import type { Answer, ControlRequest } from '../messages.ts'
import type { State } from './state.ts'

/** Sends a request; returns its number. */
export function send(state: State, to: Server, request: ControlRequest): number {
  const sendId = state.nextSendId++
  const after = durablePoint(state)
  state.effects.push(
    after === undefined
      ? { type: 'send', to, sendId, request }
      : { type: 'send', to, sendId, request, after },
  )
  return sendId
}

/** Answers a request, when `entry` (if one is named) is durable. */
export function answer(
  state: State,
  requestId: number,
  message: Answer,
  entry?: { readonly index: Index; readonly term: Term },
): void {
  const after = durablePoint(state, entry)
  state.effects.push(
    after === undefined
      ? { type: 'answer', requestId, answer: message }
      : { type: 'answer', requestId, answer: message, after },
  )
}

/** Refuses a request as a whole. */
export function answerError(state: State, requestId: number, message: string): void {
  state.effects.push({ type: 'answer', requestId, answer: { type: 'error', message } })
}
