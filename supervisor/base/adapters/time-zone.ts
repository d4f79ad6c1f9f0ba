const utc = 'UTC'
const minuteMs = 60_000
/** Most minutes whose offsets are remembered: a thousand jobs ask for a few dozen, and each answer leaves some KB behind. */
const mostKnown = 1000

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
  // the data of other zones takes 5 MB of memory
  if (zone === utc) return true
  try {
    Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

/** Offsets of a time zone from UTC, in ms, at instants in ms since the Unix epoch. */
export function offsetIn(timeZone: string): (instant: number) => number {
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

  function look(instant: number): number {
    const parts = format.formatToParts(instant)
    const [year, month, day, hour, minute, second] = ['year', 'month', 'day', 'hour', 'minute', 'second'].map(type =>
      Number(parts.find(part => part.type === type)?.value),
    ) as [number, number, number, number, number, number]
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instant / 1000) * 1000
  }

  // clocks have only been set at whole minutes of UTC since 1973
  const known = new Map<number, number>()
  return instant => {
    const minute = Math.floor(instant / minuteMs)
    const offset = known.get(minute) ?? look(minute * minuteMs)
    if (known.size >= mostKnown) known.clear()
    known.set(minute, offset)
    return offset
  }
}
