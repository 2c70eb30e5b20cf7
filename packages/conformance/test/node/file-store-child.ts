// A store in one file, sound or with a defect, that changes until it is killed. Run by killing.test.ts.

import { rename, writeFile } from 'node:fs/promises'
import { runUntilKilled } from '@raftkit/conformance/node'
import { MyStore } from '../reference/file-store.ts'
import type { Save } from '../reference/file-store.ts'

const defects: Readonly<Record<string, Save>> = {
  // Acknowledges what it has not written yet.
  late: async (path, text) => void setTimeout(() => void writeFile(path, text), 1000),
  // For a moment there is no file at all.
  gap: async (path, text) => {
    await writeFile(`${path}.tmp`, text)
    await rename(path, `${path}.old`).catch(() => {})
    await rename(`${path}.tmp`, path)
  },
}

const save = defects[process.env['STORE_DEFECT'] ?? '']
const open = (directory: string): Promise<MyStore> => MyStore.open(directory, save)

await runUntilKilled({ log: open, stable: open })
