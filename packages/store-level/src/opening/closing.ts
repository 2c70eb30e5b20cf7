/** Does something with a resource, and closes the resource when that fails. */
export async function closingOnError<T>(
  resource: { close(): Promise<void> },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await resource.close().catch(() => {}) // The first error is the one that matters.
    throw error
  }
}
