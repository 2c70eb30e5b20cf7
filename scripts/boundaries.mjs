// Who may import whom, and what may not appear where. The table is the design's; `check-boundaries.mjs` runs it.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Per package: what its `src` may import, whether it must run without Node, and whether its folders are layers. */
export const packages = {
  interface: { imports: [], neutral: true },
  wire: { imports: ['@raftkit/interface', 'msgpackr'], neutral: true, layered: true },
  'raft-core': { imports: ['@raftkit/interface', '@raftkit/wire'], neutral: true, layered: true },
  'transport-inmem': { imports: ['@raftkit/interface'], neutral: true },
  'transport-network': {
    imports: ['@raftkit/interface', '@raftkit/wire'],
    neutral: false,
    layered: true,
  },
  'transport-tcp': {
    imports: ['@raftkit/interface', '@raftkit/transport-network'],
    neutral: false,
  },
  'transport-ws': {
    imports: ['@raftkit/interface', '@raftkit/transport-network', 'ws'],
    neutral: false,
  },
  'store-inmem': { imports: ['@raftkit/interface'], neutral: true },
  'store-level': {
    imports: ['@raftkit/interface', 'classic-level'],
    neutral: false,
    layered: true,
  },
  'snapshot-file': { imports: ['@raftkit/interface', '@raftkit/wire'], neutral: false },
  'raft-node': {
    imports: [
      '@raftkit/interface',
      '@raftkit/wire',
      '@raftkit/raft-core',
      '@raftkit/transport-network',
      '@raftkit/transport-tcp',
      '@raftkit/store-level',
      '@raftkit/snapshot-file',
      'msgpackr',
      'pino',
    ],
    neutral: false,
  },
  metrics: { imports: ['@raftkit/interface', 'prom-client', '@opentelemetry/api'], neutral: false },
  conformance: { imports: ['@raftkit/interface'], neutral: false },
  simulator: {
    imports: [
      '@raftkit/interface',
      '@raftkit/raft-core',
      '@raftkit/store-inmem',
      '@raftkit/transport-inmem',
      '@raftkit/wire',
    ],
    neutral: true,
  },
}

/** Node's globals that a neutral package must not name. `process` is an ordinary word too: that it is not declared suffices. */
const nodeGlobals = ['Buffer', 'setImmediate', 'clearImmediate', '__dirname', 'require']

/** What the consensus core must not name: promises, time, chance, I/O, payload bytes. */
const consensusForbidden = [
  'async',
  'await',
  'Promise',
  'queueMicrotask',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'MessageChannel',
  'Date',
  'performance',
  'Math.random',
  'crypto',
  'fetch',
  'console',
  'process',
  'AbortSignal',
  'AbortController',
  'EventTarget',
  'Uint8Array',
  'ArrayBuffer',
  'DataView',
  'Buffer',
]

/** Every violation under `root`, one sentence each; empty when all is well. */
export function checkBoundaries(root) {
  const problems = []
  const folders = readdirSync(join(root, 'packages'), { withFileTypes: true })
  for (const folder of folders) {
    if (!folder.isDirectory()) continue
    const rule = packages[folder.name]
    if (!rule) {
      problems.push(`packages/${folder.name} is not in the dependency table`)
      continue
    }
    problems.push(
      ...checkManifest(root, folder.name, rule),
      ...checkSources(root, folder.name, rule),
      ...checkCircles(root, folder.name, rule),
    )
  }
  return problems
}

function checkManifest(root, name, rule) {
  const problems = []
  const manifest = readJson(join(root, 'packages', name, 'package.json'))
  const kinds = ['dependencies', 'peerDependencies', 'optionalDependencies']
  for (const kind of kinds)
    for (const dependency of Object.keys(manifest[kind] ?? {}))
      if (!rule.imports.includes(dependency))
        problems.push(
          `packages/${name}/package.json: ${kind} has ${dependency}, which the table does not allow`,
        )
  if (rule.neutral) {
    const options = readJson(join(root, 'packages', name, 'tsconfig.json')).compilerOptions ?? {}
    if (JSON.stringify(options.types) !== '[]')
      problems.push(`packages/${name}/tsconfig.json: a neutral package needs "types": []`)
  }
  return problems
}

function checkSources(root, name, rule) {
  const problems = []
  for (const file of typescriptFiles(join(root, 'packages', name, 'src'))) {
    const place = relative(root, file)
    const text = readFileSync(file, 'utf8')
    const inConsensus = place.includes('raft-core/src/consensus/')
    for (const specifier of importedModules(text)) {
      const problem = inConsensus
        ? consensusImportProblem(place, specifier)
        : importProblem(specifier, name, rule)
      if (problem) problems.push(`${place}: imports ${specifier}; ${problem}`)
    }
    const words = inConsensus ? consensusForbidden : rule.neutral ? nodeGlobals : []
    for (const word of namedWords(text, words)) problems.push(`${place}: names ${word}`)
  }
  return problems
}

/**
 * Files that import each other in a circle, types included: neither can be read without the other. Where the rule says
 * `layered`, the same holds for folders beside each other.
 */
function checkCircles(root, name, { layered = false }) {
  const source = join(root, 'packages', name, 'src')
  const imports = new Map()
  for (const file of typescriptFiles(source)) {
    const local = importedModules(readFileSync(file, 'utf8')).filter((path) => path.startsWith('.'))
    imports.set(
      file,
      local.map((path) => join(dirname(file), path)),
    )
  }
  const found = [...circles(imports), ...(layered ? circles(folderImports(imports)) : [])]
  return found.map((circle) => {
    const names = circle.map((each) => relative(source, each)).join(' → ')
    return `packages/${name}/src: ${names} import each other in a circle`
  })
}

/** For each folder those beside it, or beside a folder around it, that its files import. */
function folderImports(imports) {
  const folders = new Map()
  for (const [file, targets] of imports)
    for (const target of targets) {
      const from = file.split('/')
      const to = target.split('/')
      const shared = from.findIndex((part, place) => part !== to[place])
      if (shared === from.length - 1 || shared === to.length - 1) continue
      const folder = from.slice(0, shared + 1).join('/')
      folders.set(folder, [...(folders.get(folder) ?? []), to.slice(0, shared + 1).join('/')])
    }
  return folders
}

/** The circles of a graph, each with its first node at both ends. */
function circles(imports) {
  const found = []
  const done = new Set()
  const follow = (file, path) => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file])
    if (path.includes(file) || done.has(file)) return
    for (const next of imports.get(file) ?? []) follow(next, [...path, file])
    done.add(file)
  }
  for (const file of imports.keys()) follow(file, [])
  return found
}

function consensusImportProblem(place, specifier) {
  if (specifier === '@raftkit/interface/protocol') return
  const target = specifier.startsWith('.') ? join(dirname(place), specifier) : ''
  if (target.includes('raft-core/src/consensus/') && target.endsWith('.ts')) return
  return 'consensus may import only its own files and @raftkit/interface/protocol'
}

function importProblem(specifier, name, rule) {
  if (specifier.startsWith('.')) return
  if (specifier.startsWith('node:')) return rule.neutral ? `${name} runs without Node` : undefined
  const target = specifier.match(/^(@[^/]+\/[^/]+|[^/]+)/)[0]
  if (!rule.imports.includes(target)) return 'the dependency table does not allow it'
}

/** The modules a file imports, in any form of import or re-export. */
function importedModules(text) {
  const code = withoutComments(text)
  const statements = /(?:^|[;\n])\s*(?:import|export)\b(?:[^'"`;=]*?\bfrom)?\s*(['"])([^'"\n]+)\1/g
  const calls = /\bimport\s*\(\s*(['"])([^'"\n]+)\1/g
  return [...code.matchAll(statements), ...code.matchAll(calls)].map((match) => match[2])
}

/** Which of `words` stand in the code, outside comments, strings and property names. */
function namedWords(text, words) {
  const code = withoutStrings(withoutComments(text))
  return words.filter((word) =>
    new RegExp(`(?<![\\w$.#'-])${word.replace('.', '\\.')}(?![\\w$-])(?!\\s*\\??:(?!:))`).test(
      code,
    ),
  )
}

function withoutComments(text) {
  return text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|[^:'"`])\/\/.*$/gm, '$1')
}

function withoutStrings(code) {
  return code.replace(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\$]|\\.)*`/g, "''")
}

function typescriptFiles(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'))
}
