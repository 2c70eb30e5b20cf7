// The process of one hunt by a package's tests: runs vitest with the mutant in the text that it is given.
import { join } from 'node:path'
import { startVitest, type TestModule } from 'vitest/node'
import { catalogue } from './catalogue/catalogue.ts'
import { type Finding, findingOf, type HuntMessage } from './hunt-messages.ts'
import { type MutatedSources, mutatedSources, ROOT } from './mutated-source.ts'

const [project = '', name = '', ...files] = process.argv.slice(2)
const mutant = catalogue.find((other) => other.name === name)
const message: HuntMessage = { finding: await hunt(mutatedSources(mutant)) }
process.send?.(message)
process.disconnect?.()

async function hunt(mutated: MutatedSources): Promise<Finding> {
  const unused = new Set(mutated.keys())
  const root = join(ROOT, 'packages', project)
  const vitest = await startVitest(
    'test',
    [...files],
    { root, config: join(root, 'vitest.config.ts'), watch: false, reporters: [], bail: 1 },
    {
      plugins: [
        {
          name: 'mutant',
          enforce: 'pre',
          load: (id) => {
            const [file = id] = id.split('?')
            const text = mutated.get(file)
            if (text !== undefined) unused.delete(file)
            return text
          },
        },
      ],
    },
  )
  const modules = vitest.state.getTestModules()
  const finding = findingIn(modules)
  await vitest.close()
  if (finding.outcome === 'caught' || unused.size === 0) return finding
  return { outcome: 'error', message: `the tests do not use ${[...unused].join(', ')}` }
}

function findingIn(modules: readonly TestModule[]): Finding {
  const errors = modules.flatMap((module) => module.errors())
  if (modules.length !== files.length || errors.length > 0)
    return { outcome: 'error', message: errors[0]?.message ?? 'the test files do not run' }
  let finding: Finding = { outcome: 'survived' }
  let passed = 0
  for (const test of modules.flatMap((module) => [...module.children.allTests()])) {
    const { state, errors: failures } = test.result()
    if (state === 'passed') passed++
    if (state !== 'failed') continue
    const failure = failures[0]
    if (failure === undefined) continue
    finding = isAssertion(failure)
      ? findingOf(test.fullName, failure.message)
      : { outcome: 'error', message: `${test.fullName}: ${failure.message}` }
    if (finding.outcome === 'caught') return finding
  }
  if (finding.outcome === 'survived' && passed === 0)
    return { outcome: 'error', message: 'no test has run' }
  return finding
}

/** What a failed test throws. */
interface Failure {
  readonly name?: string
  readonly message?: string
  readonly stack?: string
  readonly cause?: unknown
}

/**
 * A test that says what it expected: by an assertion, itself or inside of a property, or in words of its own; or that
 * the product refused what it must do. A test that ran out of time says nothing.
 */
function isAssertion({ name, message = '', stack = '', cause }: Failure): boolean {
  if (/timed out/i.test(message)) return false
  if (name === 'AssertionError' || name === 'RaftError') return true
  const thrownBy = stack.split('\n').find((line) => line.trimStart().startsWith('at ')) ?? ''
  if (/\/packages\/[^/]+\/test\//.test(thrownBy)) return true
  return typeof cause === 'object' && cause !== null && isAssertion(cause)
}
