import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

/** The modules of `name` that are loaded by importing one of the two entry points, in a process of its own. */
async function loadedBy(entry: string): Promise<string> {
  const program = `
    import { register } from 'node:module'
    const hooks = \`export async function load(url, context, next) {
      if (/prom-client|opentelemetry.api/.test(url)) process._rawDebug(url)
      return next(url, context)
    }\`
    register('data:text/javascript,' + encodeURIComponent(hooks))
    await import(${JSON.stringify(new URL(`../src/${entry}.ts`, import.meta.url).href)})
  `
  const source = ['--conditions=@raftkit/source', '--import', import.meta.resolve('tsx')]
  const args = [...source, '--input-type=module', '--eval', program]
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const { stderr } = await promisify(execFile)(process.execPath, args, { cwd })
  return stderr
}

it.each([
  ['prometheus', true],
  ['opentelemetry', false],
])('the entry point %s loads prom-client: %s', { timeout: 120_000 }, async (entry, expected) => {
  expect((await loadedBy(entry)).includes('prom-client')).toBe(expected)
})

it(
  'the entry point opentelemetry loads no part of OpenTelemetry either',
  { timeout: 120_000 },
  async () => {
    expect(await loadedBy('opentelemetry')).toBe('')
  },
)
