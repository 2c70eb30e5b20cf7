// Fails when a package imports what the dependency table does not allow, a neutral package names Node, or the
// consensus core names a promise, a clock, chance, I/O or payload bytes.
import { fileURLToPath } from 'node:url'
import { checkBoundaries } from './boundaries.mjs'

const problems = checkBoundaries(fileURLToPath(new URL('..', import.meta.url)))
for (const problem of problems) console.error(problem)
if (problems.length > 0) process.exit(1)
