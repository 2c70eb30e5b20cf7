import type { Stream } from './streams.ts'

/** 0 in half of all draws, else up to `most`. */
export function often(random: Stream, most: number): number {
  const value = random.next() * most
  return random.chance(0.5) ? 0 : value
}
