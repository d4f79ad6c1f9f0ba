import type { Command } from '../command.ts'

/** Commands by signal, as in nginx and Gunicorn. Without a handler, USR1 would start Node's inspector. */
const commands: Partial<Record<NodeJS.Signals, Command | undefined>> = {
  SIGUSR1: { type: 'reopenLogs' },
  SIGTERM: { type: 'stop' },
  SIGQUIT: { type: 'stop' },
  SIGINT: { type: 'quickStop' },
  SIGHUP: { type: 'reload' },
  SIGUSR2: { type: 'restart' },
  SIGTTIN: { type: 'scaleBy', change: 1 },
  SIGTTOU: { type: 'scaleBy', change: -1 },
  SIGWINCH: undefined,
}

/** Installs signal handlers that put commands into the queue, in place of those of the launcher. Returns a function that removes them. */
export function receiveSignals(
  push: (command: Command, from: string) => void,
  { isInterruptGraceful }: { isInterruptGraceful: boolean },
): () => void {
  const all = isInterruptGraceful ? { ...commands, SIGINT: commands.SIGTERM } : commands
  const installed = Object.entries(all).map(([signal, command]) => {
    const handler = () => {
      if (command) push(command, signal)
    }
    const early = process.listeners(signal as NodeJS.Signals)
    process.on(signal, handler)
    for (const listener of early) process.removeListener(signal, listener)
    return () => process.removeListener(signal, handler)
  })
  return () => {
    for (const remove of installed) remove()
  }
}
