// The text of the product with a mutant in it. It exists in memory only: no file of the checkout is ever written.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant } from './mutant.ts'

/** The root of the repository. */
export const ROOT: string = fileURLToPath(new URL('../..', import.meta.url))

/** Files of the product, by absolute path, with the text that they have with the mutant. No mutant: no files. */
export type MutatedSources = ReadonlyMap<string, string>

/** Reads the files of a mutant and changes them. Throws when a text does not occur exactly once. */
export function mutatedSources(mutant: Mutant | undefined): MutatedSources {
  const sources = new Map<string, string>()
  for (const { file, find, replace } of mutant?.edits ?? []) {
    const path = join(ROOT, file)
    const before = sources.get(path) ?? readFileSync(path, 'utf8')
    const count = before.split(find).length - 1
    if (count !== 1)
      throw new Error(
        `${mutant?.name}: its text occurs ${count} times in ${file}, it must occur once:\n${find}`,
      )
    sources.set(
      path,
      before.replace(find, () => replace),
    )
  }
  return sources
}
