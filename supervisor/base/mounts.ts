interface Mount {
  point: string
  /** Of its file system: `overlay`, `ext4`. */
  type: string
}

/** Why what a folder holds goes with the container, or undefined when it stays. `mountinfo`: as in proc_pid_mountinfo(5). */
export function describeTransience(folder: string, mountinfo: string): string | undefined {
  const { type } = mountOf(folder, readMounts(mountinfo))
  if (type === 'tmpfs') return 'is in memory'
  return type === 'overlay' ? "is in the container's own layer" : undefined
}

/** The type of the file system that holds a folder with all that is below; undefined when another is mounted there. */
export function fileSystemOf(folder: string, mountinfo: string): string | undefined {
  const mounts = readMounts(mountinfo)
  const below = folder === '/' ? '/' : `${folder}/`
  const isWhole = mounts.every(({ point }) => !point.startsWith(below) || point === folder)
  return isWhole ? mountOf(folder, mounts).type : undefined
}

function readMounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap(line => {
    const [before = '', after = ''] = line.split(' - ')
    const [point, type] = [before.split(' ')[4], after.split(' ')[0]]
    return point && type ? [{ point: decode(point), type }] : []
  })
}

/** Spaces and the like are written as octal numbers. */
function decode(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

function mountOf(folder: string, mounts: readonly Mount[]): Mount {
  const around = mounts.filter(({ point }) => point === '/' || folder === point || folder.startsWith(`${point}/`))
  // of two at the same place the later one is on top
  return around.reduce((best, next) => (next.point.length >= best.point.length ? next : best), { point: '', type: '' })
}
