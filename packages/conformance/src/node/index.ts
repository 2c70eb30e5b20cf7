// What needs Node: stores in directories, damage to files, and processes that are killed.

export { type DirectoryHooks, type DirectoryStore, inDirectories } from './directories.ts'
export { type DoomedStores, runUntilKilled } from './doomed.ts'
export { killing, type KillingOptions } from './killing.ts'
export { flipBit, tearFile } from './torn-file.ts'
