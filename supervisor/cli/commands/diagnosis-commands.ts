import type { CommandContext } from './context.ts'

/** Adds the commands that look into the running instance. */
export function addDiagnosisCommands({ world, addControl }: CommandContext): void {
  addControl('top', 'show workers and processes live: sort, restart, follow the log', async (commandLine, { isJson }) =>
    (await import('../top.ts')).top(commandLine, world, { isJson }),
  )
  addControl(
    'profile',
    "record a CPU profile or a heap snapshot of a Node worker, for Chrome's DevTools",
    async (commandLine, { words: [worker = ''], options, isJson }) => {
      const { cpu, heap, output, force } = options
      const { profile } = await import('../profile.ts')
      return profile(commandLine, world, {
        ...{ worker, cpu, output, isJson },
        isHeap: Boolean(heap),
        isForced: Boolean(force),
      })
    },
  )
    .argument('<worker>', 'a worker, such as app.1')
    .option('--cpu <duration>', 'record where it spends its time, such as 10s; at most 10m')
    .option('--heap', 'write what its memory holds; it responds to no request meanwhile')
    .option('-o, --output <file>', 'file to write, or - for stdout; default: a new one in the current directory')
    .option('--force', 'take a heap snapshot even if the container is short of memory')
}
