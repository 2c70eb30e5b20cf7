import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Kill } from '../kill.ts'
import type { StoreHooks } from '../store-bench.ts'
import { killing } from './killing.ts'

/** A store that keeps everything in one directory. */
export interface DirectoryStore<S> {
  /** Opens the store in an existing directory, which is empty at first. */
  open(directory: string): Promise<S>
  /** Ends a store, when it must be ended before its directory is opened again. */
  close?(store: S): Promise<void>
  /** A program that calls `runUntilKilled`; with it the suite kills processes. */
  readonly program?: URL
  /** Options of `node` in front of the program, such as `['--import', 'tsx']`. Default none. */
  readonly nodeOptions?: readonly string[]
}

/** The hooks of a store that keeps everything in one directory, and where each store is. */
export interface DirectoryHooks<S> extends Required<Omit<StoreHooks<S>, 'kill'>> {
  readonly kill?: Kill<S>
  /** Where a store is. */
  directoryOf(store: S): string
}

/** `open`, `reopen`, `crash`, `dispose`, and `kill` when there is a program, on temporary directories. */
export function inDirectories<S extends object>(options: DirectoryStore<S>): DirectoryHooks<S> {
  const directories = new WeakMap<S, string>()
  const newDirectory = (): Promise<string> => mkdtemp(join(tmpdir(), 'raftkit-conformance-'))
  const open = async (directory: string): Promise<S> => {
    const store = await options.open(directory)
    directories.set(store, directory)
    return store
  }
  const directoryOf = (store: S): string => {
    const directory = directories.get(store)
    if (directory === undefined) throw new Error('this store was not opened by the suite')
    return directory
  }
  const { program, nodeOptions = [] } = options
  return {
    directoryOf,
    open: async () => open(await newDirectory()),
    reopen: async (store) => {
      await options.close?.(store)
      return open(directoryOf(store))
    },
    crash: async (store) => {
      const copy = await newDirectory()
      await copyDirectory(directoryOf(store), copy)
      return open(copy)
    },
    ...(program && { kill: killing({ program, nodeOptions, newDirectory, open }) }),
    dispose: (store) => rm(directoryOf(store), { recursive: true, force: true }),
  }
}

/** Copies begun anew before the copy is given up. */
const MAX_COPIES = 100

/** A store may remove files of its own accord while they are copied: then the copy is of no moment, and begun anew. */
async function copyDirectory(from: string, to: string): Promise<void> {
  for (let left = MAX_COPIES; ; left--)
    try {
      await cp(from, to, { recursive: true })
      return
    } catch (error) {
      const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (!isGone || left === 0) throw error
      await rm(to, { recursive: true })
    }
}
