// One file that holds a program and all of the product that it uses, with a mutant in it.
import { join, relative } from 'node:path'
import { build as bundle } from 'esbuild'
import { type MutatedSources, ROOT } from './mutated-source.ts'

/** Bundles the hunt in the simulator into `path`. Throws when the sources do not parse or a mutated file is not used. */
export async function bundleSimulatorHunt(path: string, mutated: MutatedSources): Promise<void> {
  const { metafile } = await bundle({
    absWorkingDir: ROOT,
    metafile: true,
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
            return contents === undefined ? undefined : { contents, loader: 'ts' }
          })
        },
      },
    ],
  })
  // What is only imported by something that nobody calls is read, and left out.
  const [output] = Object.values(metafile.outputs)
  const isUsed = (file: string): boolean =>
    (output?.inputs[relative(ROOT, file)]?.bytesInOutput ?? 0) > 0
  const unused = [...mutated.keys()].filter((file) => !isUsed(file))
  if (unused.length > 0) throw new Error(`the simulator does not use ${unused.join(', ')}`)
}
