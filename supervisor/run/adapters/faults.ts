/** Reports exceptions that nothing has handled, which would end the process at once. Returns a function that stops the reports. */
export function receiveFaults(report: (error: unknown) => void): () => void {
  process.on('uncaughtException', report)
  process.on('unhandledRejection', report)
  return () => {
    process.removeListener('uncaughtException', report)
    process.removeListener('unhandledRejection', report)
  }
}
