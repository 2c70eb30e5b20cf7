// The table of names for people who come from hashicorp/raft: every raftkit name in it exists where it says.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** All sources of a package, in one text. */
function sourcesOf(name) {
  const src = join(ROOT, 'packages', name, 'src')
  return readdirSync(src, { recursive: true })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(src, file), 'utf8'))
    .join('\n')
}

/** True when a source exports `name`, or its part before the dot with a member of that name. */
function isThere(source, name) {
  const [owner, member] = name.split('.')
  if (name.startsWith('RAFT_')) return source.includes(`'${name}'`)
  const declared = new RegExp(
    `export (abstract )?(class|interface|type|function|async function|const) ${owner}\\b`,
  )
  if (!declared.test(source)) return false
  return (
    member === undefined || new RegExp(`(^|[^\\w])'?${member}'?\\??(<\\w+>)?[:(]`, 'm').test(source)
  )
}

function rows() {
  const text = readFileSync(join(ROOT, 'docs', 'from-hashicorp-raft.md'), 'utf8')
  return text
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\| (Go|-)/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .flatMap(([, go, raftkit, packages]) =>
      [...raftkit.matchAll(/`([A-Za-z][\w.-]*)`/g)].map(([, name]) => ({ go, name, packages })),
    )
}

describe('docs/from-hashicorp-raft.md', () => {
  test('has the names', () => {
    expect(rows().length).toBeGreaterThan(100)
  })

  test.each(rows())('$name is in $packages', ({ name, packages }) => {
    const sources = packages.split(', ').map((folder) => sourcesOf(folder))
    expect(sources.some((source) => isThere(source, name))).toBe(true)
  })

  test('notices a name that is not there', () => {
    const source = sourcesOf('raft-core')
    expect(isThere(source, 'Raft.addPeer')).toBe(false)
    expect(isThere(source, 'newRaft')).toBe(false)
  })
})
