import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'

interface Mount {
  point: string
  type: string
}

/** Why what a folder holds goes with the container, or undefined when it stays (proc_pid_mountinfo(5)). */
export function describeTransience(folder: string): string | undefined {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .flatMap((line): Mount[] => {
      const [before = '', after = ''] = line.split(' - ')
      const [point, type] = [before.split(' ')[4], after.split(' ')[0]]
      return point && type ? [{ point, type }] : []
    })
  for (let path = folder; ; path = dirname(path)) {
    const mount = mounts.findLast(({ point }) => point === path)
    if (mount?.type === 'tmpfs') return 'is in memory'
    if (mount?.type === 'overlay') return "is in the container's own layer"
    if (mount || path === '/') return undefined
  }
}
