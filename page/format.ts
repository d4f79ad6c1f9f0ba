const dash = '–'

/** Number with three digits, `1,234`, `12.3`, `0.42`. */
export function formatNumber(value: number | null | undefined): string {
  if (value === undefined || value === null || Number.isNaN(value)) return dash
  if (value === 0) return '0'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { maximumFractionDigits: digits })
}

/** Time span of a request: `3.2 ms`, `1.24 s`. */
export function formatLatency(seconds: number | null | undefined): string {
  if (seconds === undefined || seconds === null || Number.isNaN(seconds)) return dash
  const value = seconds < 1 ? seconds * 1000 : seconds
  const digits = value >= 10 ? 0 : value >= 1 ? 1 : 2
  return `${value.toLocaleString('en', { maximumFractionDigits: digits })} ${seconds < 1 ? 'ms' : 's'}`
}

/** Time span of a process: `12 s`, `5 min`, `3 h 20 min`, `4 d 2 h`. */
export function formatSpan(seconds: number | undefined): string {
  if (seconds === undefined) return dash
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  if (days > 0) return `${days} d ${hours} h`
  if (hours > 0) return `${hours} h ${minutes} min`
  return minutes > 0 ? `${minutes} min` : `${Math.floor(seconds)} s`
}

const units = ['B', 'KB', 'MB', 'GB', 'TB']

/** Size in powers of 1024: `182 MB`. */
export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === undefined || bytes === null || Number.isNaN(bytes)) return dash
  let [value, unit] = [bytes, 0]
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toLocaleString('en', { maximumFractionDigits: value < 10 && unit > 1 ? 1 : 0 })} ${units[unit]}`
}

/** Share from 0 to 1: `12 %`, `0.3 %`. */
export function formatShare(share: number | null | undefined): string {
  if (share === undefined || share === null || Number.isNaN(share)) return dash
  const percent = share * 100
  return `${percent.toLocaleString('en', { maximumFractionDigits: percent < 10 ? 1 : 0 })} %`
}

/** Time of day, with the date if it is another day: `14:03:21`, `30 Nov 14:03`. */
export function formatTime(iso: string, now: number): string {
  const time = new Date(iso)
  const isToday = time.toDateString() === new Date(now).toDateString()
  const clock = time.toLocaleTimeString('en-GB', isToday ? {} : { hour: '2-digit', minute: '2-digit' })
  return isToday ? clock : `${time.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })} ${clock}`
}

/** Whole days from now until a time; negative if it has passed. */
export function daysUntil(iso: string, now: number): number {
  return Math.floor((Date.parse(iso) - now) / 86_400_000)
}
