import type { Command } from '../command.ts'

/** nginx's and Gunicorn's usual meanings. USR1 without a handler would start Node's inspector. */
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

/** Handlers only put a command into the queue. Returns what takes them away again. */
export function receiveSignals(push: (command: Command, from: string) => void): () => void {
  const installed = Object.entries(commands).map(([signal, command]) => {
    const handler = () => {
      if (command) push(command, signal)
    }
    process.on(signal, handler)
    return () => process.removeListener(signal, handler)
  })
  return () => {
    for (const remove of installed) remove()
  }
}
