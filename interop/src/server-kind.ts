import { fileURLToPath } from 'node:url'

/** What a server runs: raftkit, the newest hashicorp/raft, or hashicorp/raft 1.6, which has no pre-vote. */
export type ServerKind = 'node' | 'go' | 'go-1.6'

/** Which hashicorp/raft a Go server runs. */
export type GoKind = Exclude<ServerKind, 'node'>

/** Which of the two libraries a server runs, whatever its version. */
export type Family = 'node' | 'go'

/** The library of a server. */
export function familyOf(kind: ServerKind): Family {
  return kind === 'node' ? 'node' : 'go'
}

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url))

/** The Go program, as go/build.sh builds it. */
export const goPrograms: Readonly<Record<GoKind, string>> = {
  go: path('../.bin/peer'),
  'go-1.6': path('../.bin/peer-1.6'),
}

/** The command that starts a server. */
export function commandOf(
  kind: ServerKind,
  options: { readonly id: string; readonly data: string; readonly address: string },
): readonly [string, ...string[]] {
  const args = ['--id', options.id, '--data', options.data, '--address', options.address]
  if (kind !== 'node') return [goPrograms[kind], 'serve', ...args]
  const source = ['--import', 'tsx', '--conditions=@raftkit/source', path('./node-server.ts')]
  return [process.execPath, ...source, ...args]
}
