import assert from 'node:assert/strict'

/** What every kind of store may or may not support. */
export interface StoreManifest {
  /** The data outlives the store object. */
  readonly reopen: boolean
  /** When the promise of a change resolves, a crash of the process does not take the change back. Implies `reopen`. */
  readonly durable: boolean
  /** Damaged bytes are found out instead of being returned. */
  readonly checksums: boolean
}

/** Asserts that what the manifest says can be put to the test, and that nothing it denies is there. */
export function assertHonest(
  manifest: StoreManifest,
  hooks: { readonly reopen?: unknown; readonly crash?: unknown; readonly corrupt?: unknown },
): void {
  agree('reopen', manifest.reopen, 'reopen', hooks.reopen)
  agree('durable', manifest.durable, 'crash', hooks.crash)
  agree('checksums', manifest.checksums, 'corrupt', hooks.corrupt)
  assert.ok(manifest.reopen || !manifest.durable, 'what is durable can be reopened')
}

function agree(flag: string, says: boolean, hook: string, given: unknown): void {
  assert.equal(
    given !== undefined,
    says,
    says
      ? `supports.${flag} is true, so ${hook} must be given to test it`
      : `supports.${flag} is false, but ${hook} is given`,
  )
}
