// docs/upstream-tests.md names tests that exist, and says something of every scenario.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const table = new URL('../../docs/upstream-tests.md', import.meta.url)
const text = readFileSync(table, 'utf8')

/** Scenario and what stands beside it. */
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .filter(([, name]) => name !== 'hashicorp/raft' && !/^-+$/.test(name))
  .map(([, name, ours]) => ({ name, ours }))

/** Title and file of each test that a cell names. */
function testsIn(cell) {
  return [...cell.matchAll(/\[([^\]]+)\]\(([^)]+)\)/g)].map(([, title, file]) => ({ title, file }))
}

/** True when the file has a test of that title, or one whose title goes on with a value. */
function hasTest(file, title) {
  const path = fileURLToPath(new URL(file, table))
  if (!existsSync(path)) return false
  const source = readFileSync(path, 'utf8')
  return [`'${title}'`, `"${title}"`, `\`${title}\``, `\`${title} \${`].some((quoted) =>
    source.includes(quoted),
  )
}

describe('docs/upstream-tests.md', () => {
  it('has all scenarios', () => {
    expect(rows.length).toBeGreaterThan(100)
  })

  it.each(rows)('$name', ({ ours }) => {
    const tests = testsIn(ours)
    expect(tests.length > 0 || /^(Go only|missing): \S/.test(ours)).toBe(true)
    const unknown = tests.filter(({ file, title }) => !hasTest(file, title))
    expect(unknown).toEqual([])
  })
})
