import type { HardState } from '../protocol/hard-state.ts'

/**
 * What a server must never forget besides its log. When a promise of a changing method resolves, the change is
 * durable; when it rejects, the store takes no further change. A load that fails rejects: it never says "empty".
 */
export interface StableStore {
  /** Term and vote, or undefined when none was ever saved. */
  loadHardState(): Promise<HardState | undefined>
  /** Replaces term and vote in one atomic write. */
  saveHardState(state: HardState): Promise<void>
  /** A small value by name, undefined when absent. */
  get(key: string): Promise<Uint8Array | undefined>
  /** Replaces a small value (at most 64 KiB). */
  set(key: string, value: Uint8Array): Promise<void>
  /** Ends the store. Idempotent. One object may be both log and stable store; it is then closed once or twice. */
  close(): Promise<void>
}
