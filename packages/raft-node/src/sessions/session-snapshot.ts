// The session table in a snapshot: a header before the bytes of the inner state machine, and nothing at all while
// there is no session, so that snapshots of before sessions, and of clusters without them, have one and the same form.
import { RaftError, type SnapshotWriter } from '@raftkit/interface'
import type { SnapshotReader } from './snapshot-reader.ts'
import { getUint64, setUint64 } from './session-header.ts'
import { sessionLimitProblems, type SessionLimits } from './session-limits.ts'
import { SessionTable } from './session-table.ts'
import { Session } from './session.ts'

// "RKSESS", a zero, and the version of the form. No inner snapshot may begin with it.
const mark = Uint8Array.of(0x52, 0x4b, 0x53, 0x45, 0x53, 0x53, 0x00, 0x01)
const headerBytes = 12
const sessionBytes = 52
const responseBytes = 12
/** In place of a length: the command was applied, its response is not kept. */
const notKept = 2 ** 32 - 1

const chunkBytes = 256 * 1024

/** What a snapshot says of a table, taken between two commands; responses are shared, and never changed. */
export interface TableCapture {
  readonly clock: number
  readonly sessions: readonly CapturedSession[]
}

interface CapturedSession {
  readonly id: number
  readonly nonce: number
  readonly limits: SessionLimits
  readonly lastActive: number
  readonly floor: number
  readonly entries: readonly (readonly [number, Uint8Array | undefined])[]
}

export function captureTable(table: SessionTable): TableCapture {
  const sessions = table.sessions().map((session) => {
    const { id, nonce, limits, lastActive, floor } = session
    return { id, nonce, limits, lastActive, floor, entries: session.entries() }
  })
  return { clock: table.clock, sessions }
}

/** Writes the table, some hundred kilobytes at a time. */
export async function writeTable(writer: SnapshotWriter, capture: TableCapture): Promise<void> {
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  for (const piece of piecesOf(capture)) {
    pending.push(piece)
    pendingBytes += piece.byteLength
    if (pendingBytes < chunkBytes) continue
    await writer.write(Buffer.concat(pending, pendingBytes))
    pending = []
    pendingBytes = 0
  }
  await writer.write(Buffer.concat(pending, pendingBytes))
}

function* piecesOf({ clock, sessions }: TableCapture): Generator<Uint8Array> {
  yield mark
  yield fields(headerBytes, (view) => {
    setUint64(view, 0, clock)
    view.setUint32(8, sessions.length)
  })
  for (const session of sessions) {
    yield fields(sessionBytes, (view) => setSession(view, session))
    for (const [sequence, response] of session.entries) {
      yield fields(responseBytes, (view) => {
        setUint64(view, 0, sequence)
        view.setUint32(8, response?.byteLength ?? notKept)
      })
      if (response !== undefined) yield response
    }
  }
}

function setSession(view: DataView, session: CapturedSession): void {
  const { limits } = session
  setUint64(view, 0, session.id)
  setUint64(view, 8, session.nonce)
  setUint64(view, 16, session.lastActive)
  setUint64(view, 24, session.floor)
  view.setUint32(32, limits.sessionTimeoutMs)
  view.setUint32(36, limits.maxSessions)
  view.setUint32(40, limits.maxCachedResponses)
  view.setUint32(44, limits.maxCachedResponseBytes)
  view.setUint32(48, session.entries.length)
}

/**
 * Reads the table in front of a state machine's snapshot; what follows is then `reader.rest()`. An empty table when
 * there is none. Throws `RAFT_SNAPSHOT_CORRUPT` for one that {@link writeTable} did not write.
 */
export async function readTable(reader: SnapshotReader): Promise<SessionTable> {
  if (!(await reader.beginsWith(mark))) return new SessionTable()
  await reader.take(mark.byteLength)
  const header = await reader.view(headerBytes)
  const clock = safe(getUint64(header, 0))
  const count = header.getUint32(8)
  const sessions: Session[] = []
  const ids = new Set<number>()
  for (let i = 0; i < count; i += 1) {
    const session = await readSession(reader, clock)
    if (ids.has(session.id)) throw corrupt(`session ${session.id} stands in it twice`)
    ids.add(session.id)
    sessions.push(session)
  }
  return new SessionTable(clock, sessions)
}

async function readSession(reader: SnapshotReader, clock: number): Promise<Session> {
  const view = await reader.view(sessionBytes)
  const id = safe(getUint64(view, 0))
  const nonce = safe(getUint64(view, 8))
  const lastActive = safe(getUint64(view, 16))
  const floor = safe(getUint64(view, 24))
  const limits: SessionLimits = {
    sessionTimeoutMs: view.getUint32(32),
    maxSessions: view.getUint32(36),
    maxCachedResponses: view.getUint32(40),
    maxCachedResponseBytes: view.getUint32(44),
  }
  const count = view.getUint32(48)
  for (const problem of sessionLimitProblems(limits)) throw corrupt(`of session ${id}, ${problem}`)
  if (lastActive > clock || floor < 1 || count > limits.maxCachedResponses)
    throw corrupt(`the numbers of session ${id} contradict each other`)
  const entries = new Map<number, Uint8Array | undefined>()
  let room = limits.maxCachedResponseBytes
  for (let i = 0; i < count; i += 1) {
    const entry = await reader.view(responseBytes)
    const sequence = safe(getUint64(entry, 0))
    const length = entry.getUint32(8)
    if (length !== notKept) room -= length
    const isOfWindow = sequence >= floor && sequence - floor < limits.maxCachedResponses
    if (!isOfWindow || room < 0 || entries.has(sequence))
      throw corrupt(`the responses of session ${id} are none of its window`)
    entries.set(sequence, length === notKept ? undefined : await reader.take(length))
  }
  return Session.restore({ id, nonce, limits }, lastActive, floor, entries)
}

function fields(size: number, set: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size)
  set(new DataView(bytes.buffer))
  return bytes
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw corrupt('it holds a number that is too large')
  return value
}

function corrupt(problem: string): RaftError {
  return new RaftError(
    'RAFT_SNAPSHOT_CORRUPT',
    `The session table of the snapshot is not usable: ${problem}.`,
  )
}
