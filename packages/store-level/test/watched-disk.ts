import { basename } from 'node:path'
import type { Database } from '../src/database/database.ts'
import { localDisk } from '../src/database/disk.ts'
import type { Disk } from '../src/database/disk.ts'

/**
 * The machine's disk; `before` is called before each step that changes something, and may throw to make it fail.
 * `change` may replace what the database does.
 */
export function watchedDisk(
  before: (step: string) => void | Promise<void>,
  change: (database: Database) => Partial<Database> = () => ({}),
): Disk {
  return {
    ...localDisk,
    async openDatabase(path, options) {
      await before(basename(path) === 'db' ? 'open database' : 'open database elsewhere')
      const database = await localDisk.openDatabase(path, options)
      return {
        async write(changes) {
          await before('write database')
          await database.write(changes)
        },
        get: (key) => database.get(key),
        scan: (range, step) => database.scan(range, step),
        keys: (range, order, count) => database.keys(range, order, count),
        close: () => database.close(),
        ...change(database),
      }
    },
    async openFile(path, mode) {
      await before(`open ${basename(path)}`)
      const file = await localDisk.openFile(path, mode)
      return {
        read: (bytes, position) => file.read(bytes, position),
        async write(bytes, position) {
          await before(`write ${basename(path)}`)
          await file.write(bytes, position)
        },
        async sync() {
          await before(`sync ${basename(path)}`)
          await file.sync()
        },
        close: () => file.close(),
      }
    },
    async makeDirectory(path) {
      await before('make directory')
      await localDisk.makeDirectory(path)
    },
    async rename(from, to) {
      await before(`rename to ${basename(to)}`)
      await localDisk.rename(from, to)
    },
    async removeDirectory(path) {
      await before('remove directory')
      await localDisk.removeDirectory(path)
    },
    async syncDirectory(path) {
      await before('sync directory')
      await localDisk.syncDirectory(path)
    },
  }
}
