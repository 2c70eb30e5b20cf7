// Builds the Go program once, where there is Go; where there is none, says once what is left out.
import type { TestProject } from 'vitest/node'
import { buildPeers, goVersion } from '../src/go-program.ts'

export default async function buildOnce(project: TestProject): Promise<void> {
  const hasGo = (await goVersion()) !== undefined
  project.provide('hasGo', hasGo)
  if (hasGo) await buildPeers()
  else console.warn('interop: Go is not installed, so the tests with hashicorp/raft are left out')
}

declare module 'vitest' {
  export interface ProvidedContext {
    readonly hasGo: boolean
  }
}
