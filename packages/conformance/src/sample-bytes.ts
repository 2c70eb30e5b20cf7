import assert from 'node:assert/strict'

/** `length` bytes that look random and are the same for the same seed: every place has its own value. */
export function sampleBytes(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed >>> 0 || 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** Asserts equal bytes; says where they differ first rather than printing megabytes. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (actual.length !== expected.length)
    assert.fail(`${what}: ${actual.length} bytes instead of ${expected.length}`)
  for (let i = 0; i < expected.length; i++)
    if (actual[i] !== expected[i])
      assert.fail(`${what}: byte ${i} is ${actual[i]} instead of ${expected[i]}`)
}

/** All chunks in one. */
export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    parts.push(chunk.slice())
    length += chunk.length
  }
  const whole = new Uint8Array(length)
  let place = 0
  for (const part of parts) {
    whole.set(part, place)
    place += part.length
  }
  return whole
}

/** The bytes in chunks of the given sizes, over and over. */
export async function* inChunks(
  bytes: Uint8Array,
  ...sizes: readonly number[]
): AsyncGenerator<Uint8Array, void, undefined> {
  let place = 0
  for (let i = 0; place < bytes.length; i++) {
    const size = sizes[i % sizes.length]!
    yield bytes.subarray(place, place + size)
    place += size
  }
}
