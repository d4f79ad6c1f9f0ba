import type { ResponseHeadersConfig } from './response-header-keys.ts'

const usual: Record<string, string> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
}

/** The headers to add, with the usual ones; a `$` in a value begins a variable of nginx. Names differ in more than their case. */
export function headersOf(configured: ResponseHeadersConfig): { name: string; value: string }[] {
  const entries = Object.entries(configured).map(([name, value]) => [name.toLowerCase(), value] as const)
  return [...new Map([...Object.entries(usual), ...entries])]
    .filter(([, value]) => value !== 'off')
    .map(([name, value]) => ({
      name: name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase()),
      value: name === 'x-request-id' ? '$monohull_request_id' : value,
    }))
}
