/** Why what a folder holds goes with the container, or undefined when it stays. `mountinfo`: as in proc_pid_mountinfo(5). */
export function describeTransience(folder: string, mountinfo: string): string | undefined {
  const mounts = mountinfo.split('\n').flatMap(line => {
    const [before = '', after = ''] = line.split(' - ')
    const [point, type] = [before.split(' ')[4], after.split(' ')[0]]
    return point && type ? [{ point, type }] : []
  })
  const around = mounts.filter(({ point }) => point === '/' || folder === point || folder.startsWith(`${point}/`))
  // of two at the same place the later one is on top
  const mount = around.reduce((best, next) => (next.point.length >= best.point.length ? next : best), {
    point: '',
    type: '',
  })
  if (mount.type === 'tmpfs') return 'is in memory'
  return mount.type === 'overlay' ? "is in the container's own layer" : undefined
}
