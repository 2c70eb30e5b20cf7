import type { Configuration, Server } from '@raftkit/interface'

/** The voters of each half of a joint configuration, both of which must decide (§6); of the one half of any other. */
export function voterHalves({ servers, next }: Configuration): readonly (readonly Server[])[] {
  const halves = next === undefined ? [servers] : [servers, next]
  return halves.map((half) => half.filter(({ suffrage }) => suffrage === 'voter'))
}
