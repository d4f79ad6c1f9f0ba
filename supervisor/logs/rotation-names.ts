/** Name of the file that nginx writes. */
export const accessFileName = 'access.log'

const renamed = /-(\d{8}T\d{9})\.log(?:\.gz)?$/

/** Name of a renamed file: `access-20261130T215000123.log`. Names in order of time are in the order of the alphabet. */
export function renamedAs(kind: string, now: number): string {
  return `${kind}-${new Date(now).toISOString().replace(/[-:.Z]/g, '')}.log`
}

/** Renamed files of a kind, oldest first. */
export function renamedFiles(kind: string, names: readonly string[]): string[] {
  return names.filter(name => renamed.test(name) && name.replace(renamed, '') === kind).sort()
}

/** Time at which a file was renamed, in ms since the Unix epoch. */
export function renamedAt(name: string): number {
  const [, year, month, day, hour, minute, second, ms] =
    /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})\.log/.exec(name) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`)
}

/** Renamed files that are too many or too old. */
export function outdatedFiles(
  files: readonly string[],
  { keep, maxAgeMs, now }: { keep: number; maxAgeMs: number | undefined; now: number },
): string[] {
  const excess = Math.max(0, files.length - keep)
  return files.filter((name, index) => index < excess || (maxAgeMs !== undefined && now - renamedAt(name) > maxAgeMs))
}
