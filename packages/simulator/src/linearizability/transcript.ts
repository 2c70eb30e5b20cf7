import type { Operation, SequentialModel } from './history.ts'

/** Columns of the time axis. */
const WIDTH = 40

/** Operations shown before and after the first one that has no place. */
const SHOWN_BEFORE = 40
const SHOWN_AFTER = 20

/**
 * A rejected history as a picture: one line per operation by time of call, its place in the longest order that explains
 * a part of the history, and `?` where it has none. Of a long history, what is around the first operation without place.
 */
export function transcriptOf<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  longest: readonly number[],
): string {
  const places = new Map(longest.map((operation, place) => [operation, place + 1]))
  const stuck = operations.findIndex(
    ({ returnedAt }, position) => returnedAt !== undefined && !places.has(position),
  )
  const start = Math.max(0, stuck - SHOWN_BEFORE)
  const shown = operations.slice(start, stuck + SHOWN_AFTER)
  const first = shown[0]?.calledAt ?? 0
  const last = shown.reduce(
    (latest, { calledAt, returnedAt }) => Math.max(latest, returnedAt ?? calledAt),
    first,
  )
  const column = (at: number): number =>
    last === first ? 0 : Math.round(((at - first) / (last - first)) * (WIDTH - 1))
  const lines = shown.map((operation, offset) => {
    const { client, calledAt, returnedAt, input, output } = operation
    const from = column(calledAt)
    const to = returnedAt === undefined ? WIDTH - 1 : column(returnedAt)
    const bar =
      ' '.repeat(from) +
      '[' +
      '-'.repeat(Math.max(0, to - from)) +
      (returnedAt === undefined ? '…' : ']')
    const words =
      model.describe?.(input, output) ?? `${JSON.stringify(input)} -> ${JSON.stringify(output)}`
    const found = places.get(start + offset)
    const place = found === undefined ? (returnedAt === undefined ? '-' : '?') : `#${found}`
    return `${place.padStart(4)} ${client.padEnd(4)} ${bar.padEnd(WIDTH + 2)} ${words}${returnedAt === undefined ? ' (outcome unknown)' : ''}`
  })
  return [
    'No order of these operations explains every answer. #n is the place of an operation in the longest order',
    'found; what has a ? could not be placed after it, what has a - need not have happened.',
    ...(start > 0 ? [`     … ${start} operations before`] : []),
    ...lines,
    ...(start + shown.length < operations.length
      ? [`     … ${operations.length - start - shown.length} operations after`]
      : []),
    `The state after #${longest.length}: ${stateAfter(model, operations, longest)}`,
  ].join('\n')
}

function stateAfter<State, Input, Output>(
  model: SequentialModel<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  order: readonly number[],
): string {
  let state = model.initial
  for (const position of order) {
    const { input, output } = operations[position]!
    state = model.step(state, input, output)?.state ?? state
  }
  return model.stateKey?.(state) ?? JSON.stringify(state)
}
