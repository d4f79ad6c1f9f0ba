/** The local time zone by its name; undefined when TZ, as given, names none, and local time is not what it says. */
export function findTimeZone(TZ: string | undefined): string | undefined {
  const found: string | undefined = Intl.DateTimeFormat().resolvedOptions().timeZone
  // an empty TZ is UTC (tzset(3)); ICU's name for it is none that it takes itself
  if (!TZ) return found === 'Etc/Unknown' ? 'UTC' : found
  // GMT+3 is behind Greenwich for the system (tzset(3)), and ahead of it for ICU
  return found !== undefined && isName(TZ.replace(/^:/, '')) && !/^[+-]/.test(found) ? found : undefined
}

function isName(zone: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
