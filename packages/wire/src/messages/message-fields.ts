import type { EntryBatch, RpcType } from '@raftkit/interface'
import { readEntries } from '../entries/entry-list.ts'
import { Pack } from '../format/pack.ts'
import type { Unpack } from '../reading/unpack.ts'

/** What was read of a message: the fields of all messages in one shape, each zero until it is read. */
export class MessageFields {
  protocolVersion = 0
  id = ''
  address = ''
  extensionLevel: number | undefined
  diskId: number | undefined
  term = 0
  /** Leader or Candidate: the sender's address in messages from before the header had one. */
  sender = ''
  prevLogIndex = 0
  prevLogTerm = 0
  leaderCommit = 0
  entries: readonly EntryBatch[] | null = null
  /** LastLogIndex of a request, LastLog of a response. */
  lastLogIndex = 0
  lastLogTerm = 0
  success = false
  noRetryBackoff = false
  conflictTerm: number | undefined
  conflictIndex: number | undefined
  leadershipTransfer = false
  granted = false
  peers: Uint8Array | undefined
  snapshotVersion = 0
  configuration: Uint8Array | undefined
  configurationIndex = 0
  size = 0
  payload: Uint8Array | undefined
  kind = 0
}

type ReadField = (fields: MessageFields, unpack: Unpack) => void

/** How each field is read. Maps, not objects: a key such as `__proto__` is a stranger like any other. */
const READERS = {
  ProtocolVersion: (fields, unpack) => (fields.protocolVersion = unpack.int('ProtocolVersion')),
  ID: (fields, unpack) => (fields.id = unpack.text('ID')),
  Addr: (fields, unpack) => (fields.address = unpack.text('Addr')),
  Raftkit: (fields, unpack) => (fields.extensionLevel = optional(unpack, 'Raftkit')),
  RaftkitDisk: (fields, unpack) => (fields.diskId = optional(unpack, 'RaftkitDisk')),
  Term: (fields, unpack) => (fields.term = unpack.uint('Term')),
  Leader: (fields, unpack) => (fields.sender = unpack.text('Leader')),
  Candidate: (fields, unpack) => (fields.sender = unpack.text('Candidate')),
  PrevLogEntry: (fields, unpack) => (fields.prevLogIndex = unpack.uint('PrevLogEntry')),
  PrevLogTerm: (fields, unpack) => (fields.prevLogTerm = unpack.uint('PrevLogTerm')),
  Entries: (fields, unpack) => (fields.entries = readEntries(unpack)),
  LeaderCommitIndex: (fields, unpack) => (fields.leaderCommit = unpack.uint('LeaderCommitIndex')),
  LastLog: (fields, unpack) => (fields.lastLogIndex = unpack.uint('LastLog')),
  Success: (fields, unpack) => (fields.success = unpack.bool('Success')),
  NoRetryBackoff: (fields, unpack) => (fields.noRetryBackoff = unpack.bool('NoRetryBackoff')),
  ConflictTerm: (fields, unpack) => (fields.conflictTerm = optional(unpack, 'ConflictTerm')),
  ConflictIndex: (fields, unpack) => (fields.conflictIndex = optional(unpack, 'ConflictIndex')),
  LastLogIndex: (fields, unpack) => (fields.lastLogIndex = unpack.uint('LastLogIndex')),
  LastLogTerm: (fields, unpack) => (fields.lastLogTerm = unpack.uint('LastLogTerm')),
  LeadershipTransfer: (fields, unpack) =>
    (fields.leadershipTransfer = unpack.bool('LeadershipTransfer')),
  Granted: (fields, unpack) => (fields.granted = unpack.bool('Granted')),
  Peers: (fields, unpack) => (fields.peers = unpack.raw('Peers')),
  SnapshotVersion: (fields, unpack) => (fields.snapshotVersion = unpack.int('SnapshotVersion')),
  Configuration: (fields, unpack) => (fields.configuration = unpack.raw('Configuration')),
  ConfigurationIndex: (fields, unpack) =>
    (fields.configurationIndex = unpack.uint('ConfigurationIndex')),
  Size: (fields, unpack) => (fields.size = unpack.uint('Size')),
  Kind: (fields, unpack) => (fields.kind = unpack.uint('Kind')),
  Payload: (fields, unpack) => (fields.payload = unpack.raw('Payload')),
} satisfies Record<string, ReadField>

type FieldName = keyof typeof READERS

/** One field of one message. */
interface Field {
  /** Its name as a map key, in the form that Go and raftkit write. */
  readonly key: Uint8Array
  readonly read: ReadField
  /** Where it stands in the wire order. */
  readonly position: number
}

/** The fields of one message. */
interface MessageShape {
  readonly what: string
  /** In wire order, raftkit's extensions included. */
  readonly sorted: readonly Field[]
  readonly byName: ReadonlyMap<string, Field>
  /** In Go's declaration order, the header's first: the order of the array form. */
  readonly declared: readonly ReadField[]
}

const HEADER = ['ProtocolVersion', 'ID', 'Addr'] as const
const HEADER_EXTENSIONS = ['Raftkit', 'RaftkitDisk'] as const

function shape(
  what: string,
  declared: readonly FieldName[],
  extensions: readonly FieldName[] = [],
): MessageShape {
  const own: readonly FieldName[] = [...HEADER, ...declared]
  const names: readonly FieldName[] = [...own, ...HEADER_EXTENSIONS, ...extensions].toSorted(
    bytewise,
  )
  const sorted = names.map((name, position) => ({
    key: new Pack().key(name).take(),
    read: READERS[name],
    position,
  }))
  return {
    what,
    sorted,
    byName: new Map(names.map((name, position) => [name, sorted[position]!])),
    declared: own.map((name) => READERS[name]),
  }
}

function bytewise(a: string, b: string): number {
  return a < b ? -1 : 1
}

/** The requests, fields in Go's declaration order. */
export const REQUEST_SHAPES: Readonly<Record<RpcType, MessageShape>> = {
  'append-entries': shape('an AppendEntries request', [
    'Term',
    'Leader',
    'PrevLogEntry',
    'PrevLogTerm',
    'Entries',
    'LeaderCommitIndex',
  ]),
  'request-vote': shape('a RequestVote request', [
    'Term',
    'Candidate',
    'LastLogIndex',
    'LastLogTerm',
    'LeadershipTransfer',
  ]),
  'request-pre-vote': shape('a RequestPreVote request', ['Term', 'LastLogIndex', 'LastLogTerm']),
  'install-snapshot': shape('an InstallSnapshot request', [
    'SnapshotVersion',
    'Term',
    'Leader',
    'LastLogIndex',
    'LastLogTerm',
    'Peers',
    'Configuration',
    'ConfigurationIndex',
    'Size',
  ]),
  'timeout-now': shape('a TimeoutNow request', [], ['Term']),
  forward: shape('a forwarded request', ['Payload'], ['Kind']),
}

/** The responses, fields in Go's declaration order. */
export const RESPONSE_SHAPES: Readonly<Record<RpcType, MessageShape>> = {
  'append-entries': shape(
    'an AppendEntries response',
    ['Term', 'LastLog', 'Success', 'NoRetryBackoff'],
    ['ConflictTerm', 'ConflictIndex'],
  ),
  'request-vote': shape('a RequestVote response', ['Term', 'Peers', 'Granted']),
  'request-pre-vote': shape('a RequestPreVote response', ['Term', 'Granted']),
  'install-snapshot': shape('an InstallSnapshot response', ['Term', 'Success']),
  'timeout-now': shape('a TimeoutNow response', []),
  forward: shape('a forwarded response', ['Payload']),
}

/**
 * Reads a message with go-msgpack's tolerance: keys in any order, unknown ones passed over, the last of equal
 * ones counting, missing ones zero; or an array in declaration order; or nil, which is all zero.
 */
export function readMessage(unpack: Unpack, message: MessageShape): MessageFields {
  const fields = new MessageFields()
  if (unpack.nil()) return fields
  const { form, size } = unpack.struct(message.what)
  if (form === 'array')
    for (let i = 0; i < size; i++) readOrSkip(fields, unpack, message.declared[i])
  // Keys nearly always come in wire order: compare with the one expected before looking the name up.
  else
    for (let i = 0, expected = 0; i < size; i++) {
      let field = message.sorted[expected]
      if (field === undefined || !unpack.takeKey(field.key))
        field = message.byName.get(unpack.key())
      if (field !== undefined) expected = field.position + 1
      readOrSkip(fields, unpack, field?.read)
    }
  return fields
}

function readOrSkip(fields: MessageFields, unpack: Unpack, read: ReadField | undefined): void {
  if (read === undefined) unpack.skip()
  else read(fields, unpack)
}

function optional(unpack: Unpack, what: string): number | undefined {
  return unpack.nil() ? undefined : unpack.uint(what)
}
