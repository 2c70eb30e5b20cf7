import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { transform } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { catalogue } from '../src/catalogue/catalogue.ts'
import { nameOf } from '../src/mutant.ts'
import { mutatedSources, ROOT } from '../src/mutated-source.ts'

describe('the catalogue', () => {
  test('has at least forty mutants, each with a name of its own', () => {
    const names = catalogue.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.length).toBeGreaterThanOrEqual(40)
  })

  test.each(catalogue)(
    '$name changes texts that occur once, only in products, into code that parses',
    async (mutant) => {
      expect(mutant.name).toMatch(/^[a-z]+(-[a-z]+)*$/)
      expect(mutant.hunters.map(nameOf)).not.toEqual([])
      const sources = mutatedSources(mutant)
      expect(sources.size).toBeGreaterThan(0)
      for (const [path, text] of sources) {
        expect(path.slice(ROOT.length)).toMatch(/^packages\/[a-z-]+\/src\//)
        await expect(transform(text, { loader: 'ts' })).resolves.toBeDefined()
      }
    },
  )

  test.each(catalogue)('the tests that hunt $name are there', ({ hunters }) => {
    const tests = hunters.filter((hunter) => 'test' in hunter).map(nameOf)
    expect(tests.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('refuses a text that is not there, or there twice', () => {
    const planted = (find: string) => () =>
      mutatedSources({
        name: 'x',
        broken: '',
        source: '',
        edits: [
          { file: 'packages/raft-core/src/consensus/configuration/quorum.ts', find, replace: '' },
        ],
        hunters: [],
      })
    expect(planted('no such text')).toThrow('occurs 0 times')
    expect(planted('return')).toThrow(/occurs \d+ times/)
  })
})
