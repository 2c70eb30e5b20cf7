// One file that holds a program and all of the product that it uses, with a mutant in it.
import { join } from 'node:path'
import { build as bundle } from 'esbuild'
import { type MutatedSources, ROOT } from './mutated-source.ts'

/** Bundles the hunt in the simulator into `path`. Throws when the sources do not parse or a mutated file is not used. */
export async function bundleSimulatorHunt(path: string, mutated: MutatedSources): Promise<void> {
  const unused = new Set(mutated.keys())
  await bundle({
    entryPoints: [join(ROOT, 'mutants/src/simulator-hunt.ts')],
    outfile: path,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    conditions: ['@raftkit/source'],
    logLevel: 'silent',
    // A dependency in CommonJS asks for Node's own modules in the way of its own.
    banner: {
      js: "import { createRequire as requirer } from 'node:module'; const require = requirer(import.meta.url);",
    },
    plugins: [
      {
        name: 'mutant',
        setup: (build) => {
          build.onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
            const contents = mutated.get(file)
            if (contents === undefined) return undefined
            unused.delete(file)
            return { contents, loader: 'ts' }
          })
        },
      },
    ],
  })
  if (unused.size > 0) throw new Error(`the simulator does not use ${[...unused].join(', ')}`)
}
