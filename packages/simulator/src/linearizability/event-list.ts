import type { Operation } from './history.ts'

/** The call or the return of an operation, in a doubly linked list by time. */
export interface CallEvent {
  readonly operation: number
  readonly isCall: boolean
  /** Of a call: its return, undefined when the outcome is unknown. */
  readonly matching: CallEvent | undefined
  previous: CallEvent | undefined
  next: CallEvent | undefined
}

/** Calls and returns by time, calls first at equal times; gives the head of the list, which is no event itself. */
export function eventList(operations: readonly Operation<unknown, unknown>[]): CallEvent {
  const timed: { readonly at: number; readonly event: CallEvent }[] = []
  for (const [operation, { calledAt, returnedAt }] of operations.entries()) {
    const end = returnedAt === undefined ? undefined : eventOf(operation, false, undefined)
    if (end !== undefined) timed.push({ at: returnedAt!, event: end })
    timed.push({ at: calledAt, event: eventOf(operation, true, end) })
  }
  timed.sort(
    (a, b) =>
      a.at - b.at ||
      Number(b.event.isCall) - Number(a.event.isCall) ||
      a.event.operation - b.event.operation,
  )
  const head = eventOf(-1, false, undefined)
  let last = head
  for (const { event } of timed) {
    last.next = event
    event.previous = last
    last = event
  }
  return head
}

/** Takes a call and its return out of the list. */
export function lift(call: CallEvent): void {
  unlink(call)
  if (call.matching !== undefined) unlink(call.matching)
}

/** Puts them back, in the opposite order. */
export function unlift(call: CallEvent): void {
  if (call.matching !== undefined) relink(call.matching)
  relink(call)
}

function eventOf(operation: number, isCall: boolean, matching: CallEvent | undefined): CallEvent {
  return { operation, isCall, matching, previous: undefined, next: undefined }
}

function unlink(event: CallEvent): void {
  event.previous!.next = event.next
  if (event.next !== undefined) event.next.previous = event.previous
}

function relink(event: CallEvent): void {
  event.previous!.next = event
  if (event.next !== undefined) event.next.previous = event
}
