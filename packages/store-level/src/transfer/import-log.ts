import { randomUUID } from 'node:crypto'
import { dirname, resolve } from 'node:path'
import { RaftError } from '@raftkit/interface'
import type { HardState, Index, ServerId, Term } from '@raftkit/interface'
import { localDisk } from '../database/disk.ts'
import type { Disk } from '../database/disk.ts'
import { LevelStore } from '../level-store.ts'
import { damaged, readExport } from './log-export.ts'
import { openingError } from '../store-errors.ts'

/** What {@link importLog} needs. */
export interface ImportLogOptions {
  /** Where the store is made: absent, or an empty directory. */
  readonly directory: string
  /** The bytes of the export, in chunks of any size. */
  readonly source: AsyncIterable<Uint8Array>
  /** The server that the store is for, as in {@link LevelStoreOptions.serverId}. */
  readonly serverId?: ServerId
  /** Most bytes of one record, which is in memory as a whole: 1024 to 2^30. Default 64 MiB. */
  readonly maxRecordBytes?: number
}

/** What an import brought. */
export interface ImportedLog {
  /** 0 when the log was empty. */
  readonly firstIndex: Index
  readonly lastIndex: Index
  readonly term: Term
}

/**
 * Makes a store of what another server's log store held: the log, the term and the vote. The store appears under its
 * name when it is whole and durable; whatever goes wrong before leaves nothing there. `disk` is for tests.
 *
 * Rejects with `RAFT_STORE_UNUSABLE` when the directory is not empty or cannot be used, `RAFT_DECODE_FAILED` when the
 * bytes are not a whole export, `RAFT_LIMIT_EXCEEDED` for a record above the limit, `RAFT_INVALID_ARGUMENT` for an
 * option out of range.
 */
export async function importLog(
  options: ImportLogOptions,
  disk: Disk = localDisk,
): Promise<ImportedLog> {
  const source = reading(options.source)
  const directory = resolve(options.directory)
  const { serverId, maxRecordBytes = 64 * 2 ** 20 } = options
  if (!Number.isSafeInteger(maxRecordBytes) || maxRecordBytes < 1024 || maxRecordBytes > 2 ** 30)
    throw new RaftError(
      'RAFT_INVALID_ARGUMENT',
      `the option maxRecordBytes must be an integer from 1024 to ${2 ** 30}, not ${maxRecordBytes}`,
    )
  const unfinished = `${directory}.import-${randomUUID()}`
  try {
    await checkEmpty(directory, disk)
    const imported = await fill(unfinished, source, serverId, maxRecordBytes, disk)
    await checkEmpty(directory, disk)
    await disk.removeDirectory(directory)
    await disk.rename(unfinished, directory)
    await disk.syncDirectory(dirname(directory))
    return imported
  } catch (error) {
    await disk.removeDirectory(unfinished).catch(() => {}) // The first error is the one that matters.
    throw openingError(directory, error)
  }
}

/**
 * The source, of which the first chunk is asked for at once: Node drops what a process has written when it ends
 * before anyone reads.
 */
function reading(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]()
  let first: Promise<IteratorResult<Uint8Array>> | undefined = chunks.next()
  first.catch(() => {}) // Whoever reads gets the error.
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        const next = first ?? chunks.next()
        first = undefined
        return next
      },
      return: async () => (await chunks.return?.()) ?? { done: true, value: undefined },
    }),
  }
}

async function checkEmpty(directory: string, disk: Disk): Promise<void> {
  if ((await disk.list(directory)).length === 0) return
  throw new RaftError(
    'RAFT_STORE_UNUSABLE',
    `'${directory}' is not empty: a log is imported only where there is none yet. Give a new directory`,
    { details: { path: directory } },
  )
}

async function fill(
  directory: string,
  source: AsyncIterable<Uint8Array>,
  serverId: ServerId | undefined,
  maxRecordBytes: number,
  disk: Disk,
): Promise<ImportedLog> {
  const store = await LevelStore.open(directory, serverId === undefined ? {} : { serverId }, disk)
  try {
    return await copy(source, store, maxRecordBytes)
  } finally {
    await store.close()
  }
}

/** Copies record by record and checks that they make a whole log. */
async function copy(
  source: AsyncIterable<Uint8Array>,
  store: LevelStore,
  maxRecordBytes: number,
): Promise<ImportedLog> {
  let hardState: HardState | undefined
  let count = 0
  let lastTerm: Term = 0
  let ended = false
  for await (const record of readExport(source, maxRecordBytes)) {
    if (ended) throw damaged('something follows its end')
    if ((hardState === undefined) !== (record.kind === 'state'))
      throw damaged('term and vote must come once, and first')
    const { lastIndex } = await store.bounds()
    switch (record.kind) {
      case 'state':
        hardState = record.hardState
        await store.saveHardState(hardState)
        break
      case 'value':
        await store.set(record.name, record.value)
        break
      case 'entries': {
        const { entries } = record
        if (lastIndex > 0 && entries.firstIndex !== lastIndex + 1)
          throw damaged(`entry ${entries.firstIndex} follows entry ${lastIndex}`)
        for (const term of entries.terms) {
          if (term < lastTerm) throw damaged(`an entry of term ${term} follows one of ${lastTerm}`)
          lastTerm = term
        }
        await store.append([entries])
        count += entries.count
        break
      }
      case 'end':
        if (record.count !== count || record.lastIndex !== lastIndex)
          throw damaged(`it has ${count} entries where its end says ${record.count}`)
        ended = true
    }
  }
  if (!ended || hardState === undefined) throw damaged('its end is missing')
  if (hardState.term < lastTerm)
    throw damaged(`it has an entry of term ${lastTerm}, but its term is ${hardState.term}`)
  return { ...(await store.bounds()), term: hardState.term }
}
