import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Children of a process, by its threads. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap(thread =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return [] // it has ended
  }
}

/** The words of its command line; empty once it has ended. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return ''
  }
}

/** Processes that work in a folder or have a file of it open. Orphans are found too, whose parent is no longer known. */
export function processesUsing(folder: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => pid !== process.pid && linksOf(pid).some(link => link.startsWith(`${folder}/`)))
}

/** Whether it has not ended; a zombie has. */
export function isRunning(pid: number): boolean {
  try {
    // the name may hold anything, brackets too
    const [state] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? ''
    return state !== 'Z' && state !== 'X'
  } catch {
    return false
  }
}

/** Sends a signal to one process; false when it has ended already. */
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
