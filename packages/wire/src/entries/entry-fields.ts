import type { Unpack } from '../reading/unpack.ts'

/** An entry as it was read, before it is checked. */
export interface EntryFields {
  readonly index: number
  readonly term: number
  readonly type: number
  readonly data: Uint8Array | undefined
  readonly extensions: Uint8Array | undefined
  readonly appendedAt: number | undefined
}

/** The declaration order of Go's Log, which is the order of its fields in array form. */
const DECLARED = ['Index', 'Term', 'Type', 'Data', 'Extensions', 'AppendedAt'] as const

/**
 * Reads an entry in any form that go-msgpack takes: keys in any order, unknown ones passed over, the last of
 * equal ones counting, missing ones zero; or an array in declaration order. Not nil: Go takes it, and crashes on it later.
 */
export function readEntryFields(unpack: Unpack): EntryFields {
  const fields = { ...ABSENT }
  const { form, size } = unpack.struct('an entry')
  for (let i = 0; i < size; i++) {
    const name = form === 'map' ? unpack.key() : (DECLARED[i] ?? '')
    readField(unpack, name, fields)
  }
  return fields
}

const ABSENT: EntryFields = {
  index: 0,
  term: 0,
  type: 0,
  data: undefined,
  extensions: undefined,
  appendedAt: undefined,
}

function readField(
  unpack: Unpack,
  name: string,
  fields: { -readonly [K in keyof EntryFields]: EntryFields[K] },
): void {
  switch (name) {
    case 'Index':
      fields.index = unpack.uint('Index')
      break
    case 'Term':
      fields.term = unpack.uint('Term')
      break
    case 'Type':
      fields.type = unpack.uint('Type')
      break
    case 'Data':
      fields.data = unpack.raw('Data')
      break
    case 'Extensions':
      fields.extensions = unpack.raw('Extensions')
      break
    case 'AppendedAt':
      fields.appendedAt = unpack.time('AppendedAt')
      break
    default:
      unpack.skip()
  }
}
