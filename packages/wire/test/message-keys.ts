// The keys of an encoded message, for tests.
import { DEFAULT_WIRE_LIMITS } from '../src/reading/limits.ts'
import { Unpack } from '../src/reading/unpack.ts'

/** The keys of a message that is a map, in the order in which they stand. */
export function keysOf(bytes: Uint8Array): string[] {
  const unpack = new Unpack(bytes, DEFAULT_WIRE_LIMITS)
  return Array.from({ length: unpack.struct('the message').size }, () => {
    const key = unpack.key()
    unpack.skip()
    return key
  })
}
