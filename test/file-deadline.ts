/**
 * Imported by run.sh into the process of each file of the whole suite. What a test leaves open when it times out, such as a client
 * that asks for ever, keeps its file's process, and node's runner waits for that without end: here the file fails instead.
 */

const deadlineMs = Number(process.env.TEST_FILE_DEADLINE_MS ?? 600_000)

function fail(): void {
  console.error(`not ended within ${deadlineMs / 1000} s; open: ${process.getActiveResourcesInfo().join(', ')}`)
  process.exit(1)
}

// the runner imports it as well
if (process.env.NODE_TEST_CONTEXT !== undefined) setTimeout(fail, deadlineMs).unref()
