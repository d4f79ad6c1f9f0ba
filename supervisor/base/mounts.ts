interface Mount {
  point: string
  /** File system type: `overlay`, `ext4`. */
  type: string
}

/** Reason why a directory is lost with the container, or undefined if it persists. `mountinfo` is in the format of proc_pid_mountinfo(5). */
export function describeTransience(directory: string, mountinfo: string): string | undefined {
  const { type } = mountOf(directory, readMounts(mountinfo))
  if (type === 'tmpfs') return 'is in memory'
  return type === 'overlay' ? "is in the container's own layer" : undefined
}

/** Type of the file system that holds a whole directory tree; undefined if another one is mounted inside. */
export function fileSystemOf(directory: string, mountinfo: string): string | undefined {
  const mounts = readMounts(mountinfo)
  const prefix = directory === '/' ? '/' : `${directory}/`
  const isWhole = mounts.every(({ point }) => !point.startsWith(prefix) || point === directory)
  return isWhole ? mountOf(directory, mounts).type : undefined
}

/** Directories at which a file system is mounted. */
export function mountPoints(mountinfo: string): string[] {
  return readMounts(mountinfo).map(({ point }) => point)
}

function readMounts(mountinfo: string): Mount[] {
  return mountinfo.split('\n').flatMap(line => {
    const [before = '', after = ''] = line.split(' - ')
    const [point, type] = [before.split(' ')[4], after.split(' ')[0]]
    return point && type ? [{ point: decode(point), type }] : []
  })
}

/** Decodes octal escapes, such as `\040` for a space. */
function decode(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

function mountOf(directory: string, mounts: readonly Mount[]): Mount {
  const enclosing = mounts.filter(
    ({ point }) => point === '/' || directory === point || directory.startsWith(`${point}/`),
  )
  // a later mount at the same point hides the earlier one
  return enclosing.reduce((best, next) => (next.point.length >= best.point.length ? next : best), {
    point: '',
    type: '',
  })
}
