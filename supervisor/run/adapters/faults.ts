/** Reports exceptions that nothing has handled, which would end the process at once. Returns a function that stops the reports. */
export function receiveFaults(report: (error: unknown) => void): () => void {
  process.on('uncaughtException', report)
  process.on('unhandledRejection', report)
  return () => {
    process.removeListener('uncaughtException', report)
    process.removeListener('unhandledRejection', report)
  }
}

/**
 * Reports Node's warnings, which it would print to stderr itself, between the lines of the log. Deprecations are for those who change the
 * code. Returns a function that gives the warnings back to Node.
 */
export function receiveWarnings(report: (warning: Error) => void): () => void {
  const usual = process.listeners('warning')
  const listen = (warning: Error) => {
    if (warning.name !== 'DeprecationWarning') report(warning)
  }
  process.removeAllListeners('warning')
  process.on('warning', listen)
  return () => {
    process.removeListener('warning', listen)
    for (const listener of usual) process.on('warning', listener)
  }
}
