const utc = 'UTC'

/** Name of the local time zone; undefined if the given TZ is not a name, so that local time may differ from it. */
export function findTimeZone(TZ: string | undefined): string | undefined {
  if (TZ === utc) return utc
  const found: string | undefined = Intl.DateTimeFormat().resolvedOptions().timeZone
  // an empty TZ means UTC (tzset(3)); ICU does not accept its own name for it
  if (!TZ) return found === 'Etc/Unknown' ? 'UTC' : found
  // GMT+3 is west of Greenwich for the system (tzset(3)) and east of it for ICU
  return found !== undefined && isTimeZone(TZ.replace(/^:/, '')) && !/^[+-]/.test(found) ? found : undefined
}

/** Whether a text names a time zone. */
export function isTimeZone(zone: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** Offsets of a time zone from UTC, in ms, at instants in ms since the Unix epoch. */
export function offsetIn(timeZone: string): (instant: number) => number {
  // the data of other zones takes 5 MB of memory
  if (timeZone === utc) return () => 0
  const format = new Intl.DateTimeFormat('en', {
    timeZone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return instant => {
    const parts = format.formatToParts(instant)
    const [year, month, day, hour, minute, second] = ['year', 'month', 'day', 'hour', 'minute', 'second'].map(type =>
      Number(parts.find(part => part.type === type)?.value),
    ) as [number, number, number, number, number, number]
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000
  }
}
