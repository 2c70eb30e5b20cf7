import type { Index } from '@raftkit/interface'
import { DamagedRecord } from './record.ts'

/**
 * The keys of the database. The first byte says what a key is for; LevelDB orders keys by their bytes, so an
 * index is written as eight bytes, most significant first.
 */
const BLOCK = 0x6c
const META = 0x6d
const VALUE = 0x76
const BLOCK_KEY_BYTES = 9
const TWO_POW_32 = 0x1_0000_0000

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** The key of the block of entries that ends at `lastIndex`. Ascends with the index from 0 to 2^53 - 1. */
export function blockKey(lastIndex: Index): Uint8Array {
  const key = new Uint8Array(BLOCK_KEY_BYTES)
  const view = new DataView(key.buffer)
  const high = Math.floor(lastIndex / TWO_POW_32)
  view.setUint8(0, BLOCK)
  view.setUint32(1, high)
  view.setUint32(5, lastIndex - high * TWO_POW_32)
  return key
}

/** The index in a key made by {@link blockKey}; throws {@link DamagedRecord} for another key. */
export function lastIndexOfKey(key: Uint8Array): Index {
  if (key.length !== BLOCK_KEY_BYTES)
    throw new DamagedRecord(`there is a key of ${key.length} bytes among those of the log`)
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength)
  return view.getUint32(1) * TWO_POW_32 + view.getUint32(5)
}

/** The key that no block key exceeds. */
export const LAST_BLOCK_KEY: Uint8Array = blockKey(Number.MAX_SAFE_INTEGER)

/** Where the log begins. */
export const ANCHOR_KEY: Uint8Array = textKey(META, 'anchor')
/** Up to where the log is known to be committed. */
export const COMMIT_KEY: Uint8Array = textKey(META, 'commit')
/** Term and vote. */
export const HARD_STATE_KEY: Uint8Array = textKey(META, 'hard-state')
/** Which store this database belongs to. */
export const IDENTITY_KEY: Uint8Array = textKey(META, 'identity')
/** How often term, vote and small values have changed, and what the values add up to. */
export const REVISION_KEY: Uint8Array = textKey(META, 'revision')

/** The key of a small value. */
export function valueKey(name: string): Uint8Array {
  return textKey(VALUE, name)
}

/** The name in a key made by {@link valueKey}. */
export function nameInKey(key: Uint8Array): string {
  return decoder.decode(key.subarray(1))
}

/** The range that holds every small value: from the first key (inclusive) to the second (exclusive). */
export const VALUE_RANGE: readonly [from: Uint8Array, before: Uint8Array] = [
  Uint8Array.of(VALUE),
  Uint8Array.of(VALUE + 1),
]

function textKey(kind: number, name: string): Uint8Array {
  const text = encoder.encode(name)
  const key = new Uint8Array(1 + text.length)
  key[0] = kind
  key.set(text, 1)
  return key
}
