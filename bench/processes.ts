import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Children of all threads of a process. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap(thread =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return [] // it has ended
  }
}

/** Command line of a process; empty if it has ended. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

/** Processes whose working directory is below a directory, or that have a file in it open. Includes orphans, whose parent is unknown. */
export function processesUsing(directory: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => pid !== process.pid && linksOf(pid).some(link => link.startsWith(`${directory}/`)))
}

/** Whether a process is running; a zombie is not. */
export function isRunning(pid: number): boolean {
  try {
    // the name may contain anything, even parentheses
    const [state] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? ''
    return state !== 'Z' && state !== 'X'
  } catch {
    return false
  }
}

/** Sends a signal to one process; false if it has already ended. */
export function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

function linksOf(pid: number): string[] {
  const links = [`/proc/${pid}/cwd`]
  try {
    links.push(...readdirSync(`/proc/${pid}/fd`).map(name => `/proc/${pid}/fd/${name}`))
  } catch {
    return [] // ended, or another user's
  }
  return links.flatMap(link => {
    try {
      return [readlinkSync(link)]
    } catch {
      return []
    }
  })
}
