import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkBoundaries } from '../boundaries.mjs'

let root
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'raftkit-boundaries-'))
  write('packages/raft-core/package.json', { dependencies: { '@raftkit/interface': '*' } })
  write('packages/raft-core/tsconfig.json', { compilerOptions: { types: [] } })
})
afterEach(() => rmSync(root, { recursive: true }))

function write(path, content) {
  mkdirSync(join(root, dirname(path)), { recursive: true })
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
}

describe('checkBoundaries', () => {
  it('accepts this repository', () => {
    expect(checkBoundaries(fileURLToPath(new URL('../..', import.meta.url)))).toEqual([])
  })

  const consensus = 'packages/raft-core/src/consensus/election/election.ts'
  const runtime = 'packages/raft-core/src/runtime/state-machine/applier.ts'
  it.each([
    ['a promise in consensus', consensus, 'const p = new Promise(() => {})'],
    ['an async function in consensus', consensus, 'export async function f() {}'],
    ['an await in consensus', consensus, 'const x = await y'],
    ['a timer in consensus', consensus, 'setTimeout(() => {}, 1)'],
    ['a clock in consensus', consensus, 'const t = Date.now()'],
    ['a new date in consensus', consensus, 'const t = new Date()'],
    ['chance in consensus', consensus, 'const r = Math.random()'],
    ['payload bytes in consensus', consensus, 'let b: Uint8Array'],
    ['the ports in consensus', consensus, "import type { Clock } from '@raftkit/interface'"],
    ['the runtime in consensus', consensus, "import { Turn } from '../../runtime/turn.ts'"],
    ['a port in consensus', consensus, "import type { Storage } from '../../storage.ts'"],
    ['a node module in a neutral package', runtime, "import { readFileSync } from 'node:fs'"],
    ['a dynamic node import in a neutral package', runtime, "const fs = import('node:fs')"],
    ['a Node global in a neutral package', runtime, 'const b = Buffer.alloc(1)'],
    ['a node module in a long import', runtime, "import {\n  a,\n  b,\n} from 'node:fs'"],
    ['a forbidden package', runtime, "export { x } from '@raftkit/store-level'"],
    ['a forbidden third-party package', runtime, "import 'pino'"],
  ])('refuses %s', (_what, file, source) => {
    write(file, `${source}\n`)
    expect(checkBoundaries(root)).toHaveLength(1)
  })

  it('reads neither comments nor strings nor property names', () => {
    write(
      consensus,
      "// await a Promise\n/* Date */\nconst s = 'async Promise from'\nconst o = { process: 1 }\no.process\nconst t = ['a message from', 'import', 'node:fs']\n",
    )
    expect(checkBoundaries(root)).toEqual([])
  })

  it('lets consensus import its own files, in any of its folders', () => {
    write(
      consensus,
      "import { roles } from './roles.ts'\nimport { state } from '../state/state.ts'\nimport { effects } from '../effects.ts'\n",
    )
    expect(checkBoundaries(root)).toEqual([])
  })

  it('refuses folders of the core that import each other in a circle', () => {
    const source = 'packages/raft-core/src/runtime'
    write(`${source}/log/a.ts`, "import { b } from '../network/b.ts'\nexport const a = b\n")
    write(`${source}/log/c.ts`, 'export const c = 1\n')
    write(`${source}/network/b.ts`, 'export const b = 1\n')
    expect(checkBoundaries(root)).toEqual([])
    write(`${source}/network/b.ts`, "import type { C } from '../log/c.ts'\nexport const b: C = 1\n")
    expect(checkBoundaries(root)).toEqual([
      'packages/raft-core/src: runtime/log → runtime/network → runtime/log import each other in a circle',
    ])
  })

  it('refuses files that import each other in a circle, also for types alone', () => {
    const source = 'packages/raft-core/src/runtime'
    write(`${source}/a.ts`, "import { b } from './b.ts'\nexport const a = b\n")
    write(`${source}/b.ts`, "import { c } from './c.ts'\nexport const b = c\n")
    write(`${source}/c.ts`, 'export const c = 1\n')
    expect(checkBoundaries(root)).toEqual([])
    write(`${source}/c.ts`, "import type { A } from './a.ts'\nexport const c: A = 1\n")
    const circle = 'runtime/a.ts → runtime/b.ts → runtime/c.ts → runtime/a.ts'
    expect(checkBoundaries(root)).toEqual([
      `packages/raft-core/src: ${circle} import each other in a circle`,
    ])
  })

  it('refuses a dependency that the table does not have', () => {
    write('packages/raft-core/package.json', { dependencies: { pino: '*' } })
    expect(checkBoundaries(root)).toEqual([expect.stringContaining('pino')])
  })

  it('refuses Node types in a neutral package', () => {
    write('packages/raft-core/tsconfig.json', { compilerOptions: {} })
    expect(checkBoundaries(root)).toEqual([expect.stringContaining('"types": []')])
  })

  it('refuses a package that the table does not know', () => {
    write('packages/extra/package.json', {})
    expect(checkBoundaries(root)).toEqual([expect.stringContaining('packages/extra')])
  })
})
